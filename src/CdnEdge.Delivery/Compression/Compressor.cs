using System.Collections.Concurrent;
using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Delivery.Compression;

/// <summary>
/// Compresses what is stored, in the background: each response once per coding, on threads that give way to all others, never more
/// of them than leave a core free where there are several. What is asked for beyond a bound is forgotten, and asked for again by the
/// next hit.
/// </summary>
internal sealed partial class Compressor(MemoryTier memory, CompressionProviders providers, CacheMetrics metrics, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    /// <summary>Bodies that may wait.</summary>
    private const int MaxQueued = 1024;

    private static readonly int Workers = Math.Max(1, Environment.ProcessorCount - 1);

    private readonly ILogger _logger = loggers.CreateLogger("CdnEdge.Compression");
    private readonly BlockingCollection<Job> _queue = new(MaxQueued);
    private readonly CancellationTokenSource _stopping = new();
    private int _started;
    private int _busy;

    /// <summary>
    /// Has a stored response compressed, unless that's under way, done or given up. Waits for nothing, and allocates only where it
    /// is the first to ask.
    /// </summary>
    internal void Ask(StoredResponse stored, CodingVerdict verdict, string coding)
    {
        if (_queue.Count >= MaxQueued || _stopping.IsCancellationRequested || !stored.TryBeginEncoding(coding))
        {
            return;
        }

        if (!_queue.TryAdd(new Job(stored, verdict, coding)))
        {
            stored.EndEncoding(coding);
        }
        else if (Volatile.Read(ref _started) == 0 && Interlocked.Exchange(ref _started, 1) == 0)
        {
            Start();
        }
    }

    /// <summary>As <see cref="Ask"/>, where a worker has nothing to do: what is only likely to be wanted waits for nobody's turn.</summary>
    internal void AskIfIdle(StoredResponse stored, CodingVerdict verdict, string coding)
    {
        if (_queue.Count + Volatile.Read(ref _busy) < Workers)
        {
            Ask(stored, verdict, coding);
        }
    }

    /// <summary>Ends the workers after the piece that they are at.</summary>
    public void Dispose() => _stopping.Cancel();

    private void Start()
    {
        for (var i = 0; i < Workers; i++)
        {
            new Thread(Work) { IsBackground = true, Name = "compression" }.Start();
        }
    }

    private void Work()
    {
        LowPriority.Take();
        try
        {
            foreach (var job in _queue.GetConsumingEnumerable(_stopping.Token))
            {
                Interlocked.Increment(ref _busy);
                try
                {
                    Run(job);
                }
                finally
                {
                    Interlocked.Decrement(ref _busy);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The application ends.
        }
    }

    private void Run(Job job)
    {
        var (stored, verdict, coding) = job;
        if (stored.Resource is not { Key: var key }
            || stored.Body is not { } body
            || memory.Epochs.Judge(key, stored.Head.Tags, stored.Epoch, out _) == PurgeVerdict.Gone
            || !body.TryAcquire())
        {
            stored.EndEncoding(coding);
            return;
        }

        var began = time.GetTimestamp();
        var output = new EncodedOutput(BodyEncoder.LimitFor(body));
        EncodingOutcome outcome;
        try
        {
            outcome = BodyEncoder.Encode(body, verdict, coding, providers, output, () => stored.Resource is not null && !_stopping.IsCancellationRequested);
        }
#pragma warning disable CA1031 // The top of a detached flow, and a provider may be the application's own: whatever went wrong is for the log.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.Failed(_logger, exception, key.ToString(), coding);
            outcome = new EncodingOutcome(EncodingResult.Failed);
        }
        finally
        {
            body.Release();
        }

        if (outcome.Refusal is { } refusal)
        {
            Log.Refused(_logger, key.ToString(), verdict.StoredCoding!, refusal);
        }

        // Not here: who gives way to everybody mustn't do so while everybody waits for a lock of the tier's.
        var elapsed = time.GetElapsedTime(began);
        ThreadPool.UnsafeQueueUserWorkItem(_ => Keep(stored, coding, outcome.Result, output, elapsed), null);
    }

    /// <summary>Puts what came of it where hits find it, or the word that nothing did, so that nobody asks again.</summary>
    private void Keep(StoredResponse stored, string coding, EncodingResult result, EncodedOutput output, TimeSpan elapsed)
    {
        try
        {
            var kept = result == EncodingResult.Done ? TryAttach(stored, coding, output) : null;
            if (result == EncodingResult.Gone)
            {
                stored.EndEncoding(coding);
            }
            else if (kept is null)
            {
                GiveUp(stored, result == EncodingResult.Refused ? EncodedBody.AnyCoding : coding, coding);
                result = result == EncodingResult.Done ? EncodingResult.Gone : result;
            }

            metrics.Compressed(coding, result, stored.Body!.Length, kept ?? 0, elapsed);
        }
        catch (ObjectDisposedException) when (_stopping.IsCancellationRequested)
        {
            // The application has ended meanwhile, and its memory with it.
        }
#pragma warning disable CA1031 // As above: nobody awaits this.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotKept(_logger, exception, coding);
        }
        finally
        {
            output.Discard();
        }
    }

    private void GiveUp(StoredResponse stored, string refused, string begun)
    {
        memory.Attach(stored, new EncodedBody(refused));
        if (refused != begun)
        {
            stored.EndEncoding(begun);
        }
    }

    /// <summary>The length of what the tier has now; null: the response has gone, or there's no room for both.</summary>
    private long? TryAttach(StoredResponse stored, string coding, EncodedOutput output)
    {
        var made = output.ToBody(memory.Arena);
        var length = made.Length;
        if (memory.Attach(stored, new EncodedBody(coding, made, stored.Head.ETag?.InCoding(coding))))
        {
            return length;
        }

        made.Release();
        return null;
    }

    private sealed record Job(StoredResponse Stored, CodingVerdict Verdict, string Coding);

    private static partial class Log
    {
        [LoggerMessage(30, LogLevel.Warning, "The {Coding} response of '{Url}' {Refusal}. It's served as the origin sent it.", EventName = "DecodingRefused")]
        internal static partial void Refused(ILogger logger, string url, string coding, string refusal);

        [LoggerMessage(31, LogLevel.Error, "'{Url}' couldn't be compressed to {Coding}. It's served as it is.", EventName = "CompressionFailed")]
        internal static partial void Failed(ILogger logger, Exception exception, string url, string coding);

        [LoggerMessage(32, LogLevel.Error, "A body that was compressed to {Coding} couldn't be kept. It's served as it is.", EventName = "CompressedNotKept")]
        internal static partial void NotKept(ILogger logger, Exception exception, string coding);
    }
}

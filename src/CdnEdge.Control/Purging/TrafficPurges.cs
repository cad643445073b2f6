using System.Threading.Channels;
using CdnEdge.Storage;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// Tells the nodes that share this one's store what traffic made outdated here: the URLs of unsafe requests (RFC 9111 §4.4) and
/// what <c>Cache-Group-Invalidation</c> named (RFC 9875). It's in effect here already, and no request waits for it.
/// </summary>
/// <remarks>
/// What comes while an entry is being written goes together into the next one. While the log can't be written it's tried again for
/// a while; then the other nodes aren't told, which costs them what any cache costs that such a request didn't pass through.
/// </remarks>
internal sealed partial class TrafficPurges : IAsyncDisposable
{
    /// <summary>Most scopes of one entry.</summary>
    internal const int MaxScopes = 256;

    /// <summary>Most scopes that wait to be told.</summary>
    internal const int MaxWaiting = 10_000;

    internal static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(1);

    // From one entry to the next: 50 entries a second at most, whatever the traffic.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PatienceAtEnd = TimeSpan.FromSeconds(2);

    private readonly ITrafficLog _log;
    private readonly PurgeBus _bus;
    private readonly PurgeEpochs _epochs;
    private readonly PurgeOptions _options;
    private readonly PurgeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<UInt128> _waiting = Channel.CreateBounded<UInt128>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private Task _telling = Task.CompletedTask;
    private int _isDropping;
    private bool _disposed;

    /// <param name="log">Where it's told.</param>
    /// <param name="bus">This node's.</param>
    /// <param name="epochs">Where traffic announces it (<see cref="PurgeEpochs.Announced"/>).</param>
    /// <param name="options">Which PoP this is.</param>
    /// <param name="metrics">What is counted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where changes of state are told.</param>
    internal TrafficPurges(ITrafficLog log, PurgeBus bus, PurgeEpochs epochs, PurgeOptions options, PurgeMetrics metrics, TimeProvider time, ILogger<TrafficPurges> logger)
    {
        (_log, _bus, _epochs, _options, _metrics, _time, _logger) = (log, bus, epochs, options, metrics, time, logger);
        _epochs.Announced += Add;
    }

    /// <summary>To be called once.</summary>
    internal void Start() => _telling = Task.Run(TellAsync);

    /// <summary>Tells what is waiting, for a moment, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        _epochs.Announced -= Add;
        _waiting.Writer.TryComplete();
        await _telling.WaitAsync(PatienceAtEnd, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopping.CancelAsync();
        await _telling;
        _stopping.Dispose();
    }

    private void Add(UInt128 scope)
    {
        if (!_waiting.Writer.TryWrite(scope))
            Drop(1, $"{MaxWaiting} are waiting already");
    }

    private async Task TellAsync()
    {
        var scopes = new HashSet<UInt128>();
        try
        {
            while (await _waiting.Reader.WaitToReadAsync(_stopping.Token))
            {
                scopes.Clear();
                while (scopes.Count < MaxScopes && _waiting.Reader.TryRead(out var scope))
                    scopes.Add(scope);
                await TellAsync(scopes);
                if (!_waiting.Reader.Completion.IsCompleted)
                    await Task.Delay(Pause, _time, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // What is still waiting isn't told: the process ends, and the log can't be written.
        }
    }

    private async Task TellAsync(HashSet<UInt128> scopes)
    {
        var entry = PurgeEntry.OfTraffic(scopes, _options.Pop, _bus.Run, _time.GetUtcNow());
        var began = _time.GetTimestamp();
        while (true)
        {
            try
            {
                await _log.AppendTrafficAsync(entry, _bus.Tail.Least, _stopping.Token);
                if (Interlocked.Exchange(ref _isDropping, 0) != 0)
                    Log.TellsAgain(_logger);
                return;
            }
            catch (PurgeLogUnavailableException unavailable)
            {
                if (_time.GetElapsedTime(began) >= GiveUpAfter)
                {
                    Drop(scopes.Count, unavailable.Message);
                    return;
                }
            }

            await Task.Delay(Retry, _time, _stopping.Token);
        }
    }

    private void Drop(int scopes, string reason)
    {
        _metrics.Dropped(scopes);
        if (Interlocked.Exchange(ref _isDropping, 1) == 0)
            Log.Dropping(_logger, reason);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The other nodes aren't told any more what traffic makes outdated here: {Reason}")]
        public static partial void Dropping(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Information, "The other nodes are told again what traffic makes outdated here.")]
        public static partial void TellsAgain(ILogger logger);
    }
}

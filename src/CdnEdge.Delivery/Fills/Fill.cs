using CdnEdge.Caching;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// One fetch from upstream, on behalf of every client that waits for it: detached from the client that started it, its
/// body readable while it arrives, at each reader's own pace.
/// </summary>
/// <remarks>
/// States: awaiting the head, streaming the body, completed or failed. A fill whose answer may be stored keeps its whole
/// body and never waits for a reader. One whose answer may not be stored (or turns out too large) keeps a window, which
/// its readers move on: see <see cref="FillReaders"/>. One that is cut off there sees a broken transfer.
/// </remarks>
#pragma warning disable CA1001 // The cancellation has no timer and nothing to free; readers may ask for its token after the fill has ended.
internal sealed class Fill(FillKey key, long epoch)
#pragma warning restore CA1001
{
    private readonly Lock _lock = new();
    private readonly FillReaders _readers = new();
    private readonly CancellationTokenSource _cancel = new();

    private List<InterimResponse>? _interims;
    private TaskCompletionSource? _changed;
    private int _version;
    private bool _windowed;
    private bool _bodyReleased;

    internal FillKey Key { get; } = key;

    /// <summary>
    /// The epoch at which it began (see <see cref="PurgeEpochs"/>), on whichever node: set before its head is published where it
    /// brings what another fetched.
    /// </summary>
    internal long Epoch { get; set; } = epoch;

    /// <summary>It looks into the second tier only (<see cref="TierUse.NothingElse"/>).</summary>
    internal bool IsOfTierOnly { get; init; }

    /// <summary>Whether what it brings was purged since it began, as far as its head tells what it is.</summary>
    internal bool IsPurged(PurgeEpochs epochs) =>
        epochs.Judge(Key.Key, Head?.Stored?.Tags ?? SurrogateTags.None, Epoch, out _) != PurgeVerdict.Valid;

    /// <summary>Null until the final response's head has come (or the fill has failed).</summary>
    internal FillHead? Head { get; private set; }

    internal GrowingBody? Body { get; private set; }

    /// <summary>The trailer section, once completed.</summary>
    internal IHeaderDictionary? Trailers { get; private set; }

    internal bool IsCompleted { get; private set; }

    /// <summary>The body broke off: what was read of it must not look whole.</summary>
    internal bool IsFailed { get; private set; }

    /// <summary>Why it failed.</summary>
    internal ProxyStatus? Failure { get; private set; }

    /// <summary>Cancelled when nobody wants the answer any more.</summary>
    internal CancellationToken Cancelled => _cancel.Token;

    /// <summary>Changes with every event; see <see cref="ChangedAsync"/>.</summary>
    internal int Version => Volatile.Read(ref _version);

    /// <summary>Completes when something happened since <paramref name="seenVersion"/> was read.</summary>
    internal Task ChangedAsync(int seenVersion)
    {
        lock (_lock)
        {
            if (_version != seenVersion)
            {
                return Task.CompletedTask;
            }

            return (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Joins as a reader; null if the fill has ended and its body is gone (look in the store again).</summary>
    internal FillReader? Attach()
    {
        lock (_lock)
        {
            // A windowed body has already let go of its beginning, perhaps.
            if (_bodyReleased || (_windowed && Body!.Length > 0) || _cancel.IsCancellationRequested)
            {
                return null;
            }

            var reader = new FillReader(this);
            if (Body is not null && !reader.Acquire(Body))
            {
                return null;
            }

            _readers.Add(reader);
            return reader;
        }
    }

    internal void Detach(FillReader reader)
    {
        bool abandoned;
        lock (_lock)
        {
            if (!_readers.Remove(reader))
            {
                return;
            }

            reader.ReleaseBody();

            // Nobody reads, and nothing will be stored: stop asking the origin. A fill whose head hasn't come goes on,
            // its answer may well be storable.
            abandoned = _readers.AreGone && Head is { Stored: null } && !IsCompleted && !IsFailed;
        }

        SignalWriter();
        if (abandoned)
        {
            Cancel();
        }
    }

    internal void Cancel() => _cancel.Cancel();

    internal void AddInterim(int status, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        lock (_lock)
        {
            if (Head is not null)
            {
                return;
            }

            (_interims ??= []).Add(new InterimResponse(status, fields));
        }

        Pulse();
    }

    /// <summary>Interim responses from number <paramref name="seen"/> on.</summary>
    internal IReadOnlyList<InterimResponse> InterimsFrom(int seen)
    {
        lock (_lock)
        {
            return _interims is null || seen >= _interims.Count ? [] : _interims.GetRange(seen, _interims.Count - seen);
        }
    }

    /// <summary>The head has come.</summary>
    /// <param name="head">The head.</param>
    /// <param name="body">Where the body goes; null where there is none.</param>
    /// <param name="quietly">Nobody is woken yet: the body's first bytes come at once, and wake everybody to both.</param>
    internal void PublishHead(FillHead head, GrowingBody? body, bool quietly = false)
    {
        bool abandoned;
        lock (_lock)
        {
            Head = head;
            Body = body;
            _windowed = head.Stored is null;
            if (body is not null)
            {
                _readers.Acquire(body);
            }

            abandoned = _windowed && _readers.IsEmpty;
        }

        if (!quietly)
        {
            Pulse();
        }

        if (abandoned)
        {
            Cancel();
        }
    }

    /// <summary>From now on the body isn't kept whole: it has grown too large to store.</summary>
    internal void StopStoring(FillHead head)
    {
        bool abandoned;
        lock (_lock)
        {
            Head = head;
            _windowed = true;
            abandoned = _readers.IsEmpty;
        }

        if (abandoned)
        {
            Cancel();
        }
    }

    /// <summary>Appends to the body.</summary>
    internal void Append(ReadOnlySpan<byte> bytes) => Body!.Append(bytes);

    /// <summary>Tells the readers of what was appended; waits where the window is full.</summary>
    internal ValueTask PublishBytesAsync(CancellationToken cancellation)
    {
        Pulse();
        return _windowed ? PaceAsync(cancellation) : ValueTask.CompletedTask;
    }

    /// <summary>Ends the body. The fill's own reference on it goes with <see cref="ReleaseBody"/>.</summary>
    internal void Complete(IHeaderDictionary? trailers)
    {
        lock (_lock)
        {
            Trailers = trailers;
            IsCompleted = true;
        }

        Pulse();
    }

    /// <summary>It needn't run: the answer is in the store already, where its clients find it.</summary>
    internal void GiveWay()
    {
        lock (_lock)
        {
            Head = new FillHead { Result = FillResult.Superseded, Status = 0 };
            IsCompleted = true;
            _bodyReleased = true;
        }

        Pulse();
    }

    internal void Fail(ProxyStatus failure)
    {
        lock (_lock)
        {
            // The first cause is the one to tell.
            Failure ??= failure;
            Head ??= new FillHead { Result = FillResult.Failure, Status = failure.StatusCode, Reason = NoStoreReason.Incomplete };
            IsFailed = true;
        }

        Pulse();
    }

    /// <summary>Gives up the fill's own reference; attached readers keep theirs.</summary>
    internal void ReleaseBody()
    {
        lock (_lock)
        {
            if (_bodyReleased)
            {
                return;
            }

            _bodyReleased = true;
            Body?.Release();
        }
    }

    /// <summary>A reader went on: wakes a writer that waits for room.</summary>
    internal void SignalWriter()
    {
        if (!_windowed)
        {
            return;
        }

        TaskCompletionSource? waiting;
        lock (_lock)
        {
            waiting = _readers.TakeWaitingWriter();
        }

        waiting?.TrySetResult();
    }

    private void Pulse()
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            _version++;
            waiting = _changed;
            _changed = null;
        }

        waiting?.TrySetResult();
    }

    private async ValueTask PaceAsync(CancellationToken cancellation)
    {
        while (true)
        {
            Task? moved;
            lock (_lock)
            {
                if (_readers.AreGone)
                {
                    break;
                }

                moved = _readers.Pace(Body!);
            }

            if (moved is null)
            {
                return;
            }

            await moved.WaitAsync(cancellation);
        }

        // The last reader has gone and nothing is stored.
        Cancel();
        cancellation.ThrowIfCancellationRequested();
    }
}

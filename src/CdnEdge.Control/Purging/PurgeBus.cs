using System.Collections.Concurrent;
using CdnEdge.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// A node's part in purging: accepts purges into the PoP's log, puts in effect what is in it whoever accepted it, and knows
/// who has what.
/// </summary>
internal sealed partial class PurgeBus : IPurgeBus, IHostedService, IAsyncDisposable
{
    // The purge is in effect here before; it's the position that new fetches note that may be late.
    private static readonly TimeSpan PatienceForPosition = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PatienceForCatchingUp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ViewFor = TimeSpan.FromMilliseconds(20);

    private readonly PurgeOptions _options;
    private readonly IPurgeLog _log;
    private readonly IPurgeLedger _ledger;
    private readonly MemoryTier _memory;
    private readonly PurgeApplier _applier;
    private readonly PurgeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly IdempotencyKeys _keys;
    private readonly ConcurrentDictionary<(string By, string Key), SemaphoreSlim> _keysInUse = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _following = Task.CompletedTask;
    private readonly Lock _viewing = new();
    private Task<LedgerView>? _view;
    private long _viewedAt;
    private long _reportedAt;
    private long _reported = -1;
    private bool _disposed;

    /// <param name="options">Checked already (<see cref="PurgeOptions.Errors"/>).</param>
    /// <param name="log">The PoP's.</param>
    /// <param name="ledger">The PoP's.</param>
    /// <param name="memory">What this node has stored; its epochs are raised.</param>
    /// <param name="policies">The policies in use now.</param>
    /// <param name="metrics">What is counted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where changes of state are told.</param>
    internal PurgeBus(
        PurgeOptions options, IPurgeLog log, IPurgeLedger ledger, MemoryTier memory,
        Func<IEnumerable<Caching.CachePolicy>> policies, PurgeMetrics metrics, TimeProvider time, ILogger<PurgeBus> logger)
    {
        (_options, _log, _ledger, _memory, _metrics, _time) = (options, log, ledger, memory, metrics, time);

        // Others may have purged what is in the store that they share with this node; nobody knows before the log has been read.
        memory.Epochs.AreComplete = false;
        _applier = new PurgeApplier(memory.Epochs, policies);
        _keys = new IdempotencyKeys(time);
        Tail = new PurgeTail(log, memory.Epochs, _applier, metrics, options.Pop, Run, time, logger);
        Own = new OwnPurges(options.Pop);
        Tail.Seen += NoteKey;
        Tail.Seen += Own.Note;
    }

    /// <summary>The whole log has been read: this node knows of every purge that its PoP remembers.</summary>
    internal bool IsCaughtUp => Tail.IsCaughtUp;

    internal PurgeTail Tail { get; }

    /// <summary>What this PoP itself accepted.</summary>
    internal OwnPurges Own { get; }

    /// <summary>Tells this run of this node from others in entries of the log.</summary>
    internal string Run { get; } = Guid.NewGuid().ToString("n");

    /// <summary>Begins to follow the log. Doesn't wait for it: a node serves without.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _following = Task.Run(() => Tail.FollowAsync(ReportAsync, _stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_disposed)
            return;
        await _stopping.CancelAsync();
        await _following;
    }

    // A host knows it as part of a propagation and as its bus.
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        if (!Interlocked.Exchange(ref _disposed, true))
            _stopping.Dispose();
    }

    public async Task<PurgeReceipt> AcceptAsync(PurgeRequest request, string by, string? idempotencyKey, CancellationToken cancellation)
    {
        if (idempotencyKey is null)
            return await AppendAsync(request, by, null, cancellation);

        // One call per key at a time on this node; those of other nodes are in the log.
        var key = (by, idempotencyKey);
        var gate = _keysInUse.GetOrAdd(key, static _ => new SemaphoreSlim(1));
        await gate.WaitAsync(cancellation);
        try
        {
            if (!await Tail.CatchUpAsync(PatienceForCatchingUp, cancellation))
                throw new PurgeLogUnavailableException("The log of purges can't be read now, and with it whether this idempotency key was used before.");
            if (_keys.Find(by, idempotencyKey, request) is { } first)
                return new PurgeReceipt(IdOf(first.Id), first.At, IsRepeat: true);
            return await AppendAsync(request, by, idempotencyKey, cancellation);
        }
        finally
        {
            gate.Release();
            _keysInUse.TryRemove(new(key, gate));
        }
    }

    public async Task<PurgeStatus?> FindAsync(string id, CancellationToken cancellation) =>
        await RecordAsync(id, cancellation) is { } record ? await StatusAsync(record, cancellation) : null;

    /// <inheritdoc/>
    /// <exception cref="KeyNotFoundException">There is no purge of that id.</exception>
    public async Task<PurgeStatus> WaitForAllAsync(string id, TimeSpan deadline, CancellationToken cancellation)
    {
        var record = await RecordAsync(id, cancellation) ?? throw new KeyNotFoundException($"There is no purge {id}, or the log no longer has it.");
        var began = _time.GetTimestamp();
        while (true)
        {
            var status = await StatusAsync(record, cancellation);
            if (status.IsEverywhere || _time.GetElapsedTime(began) >= deadline)
                return status;
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time, cancellation);
        }
    }

    public PurgeEstimate Estimate(PurgeRequest request) => _applier.Estimate(request, _memory);

    private async Task<PurgeReceipt> AppendAsync(PurgeRequest request, string by, string? key, CancellationToken cancellation)
    {
        var entry = new PurgeEntry { Request = request, Origin = _options.Pop, IdempotencyKey = key, By = by, At = _time.GetUtcNow() };
        var ids = await _log.AppendAsync([entry], Tail.Least, cancellation);
        _metrics.Accepted();
        Tail.Accept(ids[0], entry);
        await Tail.WaitForAsync(ids[0], PatienceForPosition, cancellation);
        return new PurgeReceipt(IdOf(ids[0]), entry.At, IsRepeat: false);
    }

    private string IdOf(long position) => $"{_options.Pop}-{PurgeMoment.Format(position)}";

    private async Task<PurgeRecord?> RecordAsync(string id, CancellationToken cancellation)
    {
        if (!id.StartsWith(_options.Pop + "-", StringComparison.Ordinal)
            || !PurgeMoment.TryParse(id.AsSpan(_options.Pop.Length + 1), out var position)
            || position == 0)
        {
            return null;
        }

        if (Tail.FindAccepted(position) is { Distrust: false } accepted)
            return new PurgeRecord(position, 0, "", accepted);
        var found = await _log.ReadPurgesAsync(position - 1, 1, cancellation);
        return found is [{ Entry: { Distrust: false } entry } record] && record.Id == position && entry.Origin == _options.Pop ? record : null;
    }

    private async Task<PurgeStatus> StatusAsync(PurgeRecord record, CancellationToken cancellation)
    {
        var view = await ViewAsync().WaitAsync(cancellation);
        var positions = new Dictionary<string, long>(view.Nodes) { [_options.Node] = Tail.Position };
        var nodes = positions.OrderBy(static node => node.Key, StringComparer.Ordinal)
            .Select(node => new PurgeAcknowledgement(node.Key, node.Value >= record.Id, Reachable: true, null));
        var pops = new List<PurgeAcknowledgement>();
        foreach (var peer in _options.Peers)
        {
            var state = view.Peers[peer.Name];
            pops.Add(new PurgeAcknowledgement(peer.Name, state?.Cursor >= record.Id, state?.Error is null, state?.Error));
        }

        return new PurgeStatus(IdOf(record.Id), record.Entry!.At, record.Entry.Request, [.. nodes], pops);
    }

    // In a burst each answer says who has it: they share a look.
    private Task<LedgerView> ViewAsync()
    {
        lock (_viewing)
        {
            if (_view is not null && _time.GetElapsedTime(_viewedAt) < ViewFor)
                return _view;
            _viewedAt = _time.GetTimestamp();
            return _view = LookAsync();
        }

        async Task<LedgerView> LookAsync()
        {
            var peers = new Dictionary<string, PeerState?>();
            foreach (var peer in _options.Peers)
                peers[peer.Name] = await _ledger.PeerAsync(peer.Name, _stopping.Token);
            return new LedgerView(await _ledger.NodesAsync(_stopping.Token), peers);
        }
    }

    private void NoteKey(PurgeRecord record)
    {
        if (record.Entry is { IdempotencyKey: { } key } entry && entry.Origin == _options.Pop)
            _keys.Note(entry.By ?? "", key, entry.Request, record.Id, entry.At);
    }

    private async Task ReportAsync()
    {
        var position = Tail.Position;
        if (position == _reported && _time.GetElapsedTime(_reportedAt) < ReportEvery)
            return;
        await _ledger.ReportAsync(_options.Node, position, _stopping.Token);
        (_reported, _reportedAt) = (position, _time.GetTimestamp());
    }

    private sealed record LedgerView(IReadOnlyDictionary<string, long> Nodes, Dictionary<string, PeerState?> Peers);
}

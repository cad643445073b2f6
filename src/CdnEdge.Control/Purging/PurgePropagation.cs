using CdnEdge.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>All that a node does about purges, in one: bus, what comes from other PoPs, what goes to them, what traffic makes outdated.</summary>
internal sealed class PurgePropagation : IHostedService, IAsyncDisposable
{
    /// <summary>A node that has just started says so long at most that it isn't ready: without its log it serves, too.</summary>
    internal static readonly TimeSpan PatienceForLog = TimeSpan.FromSeconds(5);

    private readonly PurgeOptions _options;
    private readonly IPurgeLog _log;
    private readonly IPurgeLedger _ledger;
    private readonly PurgePeers _peers;
    private readonly TrafficPurges? _traffic;
    private readonly Func<CancellationToken, Task> _reachable;
    private readonly TimeProvider _time;
    private long _startedAt;
    private bool _disposed;

    /// <param name="options">Checked already (<see cref="PurgeOptions.Errors"/>).</param>
    /// <param name="log">The PoP's; disposed of with this.</param>
    /// <param name="ledger">The PoP's.</param>
    /// <param name="memory">What this node has stored.</param>
    /// <param name="policies">The policies in use now.</param>
    /// <param name="metrics">What is counted.</param>
    /// <param name="reachable">Waits a moment for what the log needs, such as a first connection.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where changes of state are told.</param>
    internal PurgePropagation(
        PurgeOptions options,
        IPurgeLog log,
        IPurgeLedger ledger,
        MemoryTier memory,
        Func<IEnumerable<Caching.CachePolicy>> policies,
        PurgeMetrics metrics,
        Func<CancellationToken, Task> reachable,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        (_options, _log, _ledger, _reachable, _time) = (options, log, ledger, reachable, time);
        Bus = new PurgeBus(options, log, ledger, memory, policies, metrics, time, loggers.CreateLogger<PurgeBus>());
        Receiver = new PurgeReceiver(options, log, Bus); // before the bus starts: it learns from what the bus reads
        _peers = new PurgePeers(options, log, ledger, Bus, time, loggers.CreateLogger<PurgePeers>());
        if (log is ITrafficLog traffic)
            _traffic = new TrafficPurges(traffic, Bus, memory.Epochs, options, metrics, time, loggers.CreateLogger<TrafficPurges>());
        metrics.Observe(Bus.Tail, () => _peers.Unacknowledged);
    }

    internal PurgeBus Bus { get; }

    internal PurgeReceiver Receiver { get; }

    /// <summary>The log hasn't been read yet, but will be in a moment.</summary>
    internal bool IsStarting => !Bus.IsCaughtUp && (_startedAt == 0 || _time.GetElapsedTime(_startedAt) < PatienceForLog);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _reachable(cancellationToken);
        _startedAt = _time.GetTimestamp();
        await Bus.StartAsync(cancellationToken);
        _traffic?.Start();
        await _peers.StartAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _peers.StopAsync(cancellationToken);
        if (_traffic is not null)
            await _traffic.DisposeAsync();
        await Bus.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // The host knows it twice, as itself and as a hosted service.
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await StopAsync(CancellationToken.None);
        _peers.Dispose();
        await Bus.DisposeAsync();
        await _log.DisposeAsync();
    }

    /// <summary>How it stands, for people.</summary>
    internal async Task<PurgeState> StateAsync(CancellationToken cancellation)
    {
        var tail = Bus.Tail;
        var peers = new List<PurgePeerState>();
        foreach (var peer in _options.Peers)
            peers.Add(await StateOfAsync(peer.Name, cancellation));
        return new PurgeState(
            _options.Pop,
            _options.Node,
            _traffic is null ? "file" : "redis",
            PurgeMoment.Format(tail.Position),
            tail.IsCaughtUp,
            !tail.IsUnavailable,
            tail.Lag?.TotalSeconds is { } lag ? Math.Round(lag, 3) : null,
            peers);
    }

    private async Task<PurgePeerState> StateOfAsync(string peer, CancellationToken cancellation)
    {
        if (Bus.Tail.IsUnavailable)
            return new PurgePeerState(peer, null, "not known: the log of purges can't be used");
        try
        {
            var state = await _ledger.PeerAsync(peer, cancellation);
            return new PurgePeerState(peer, Bus.Own.CountAfter(state?.Cursor ?? 0), state?.Error);
        }
        catch (PurgeLogUnavailableException unavailable)
        {
            return new PurgePeerState(peer, null, unavailable.Message);
        }
    }
}

/// <summary>How it stands with the purges on a node.</summary>
/// <param name="Pop">Its PoP.</param>
/// <param name="Node">Its name.</param>
/// <param name="Log">Where the log is: <c>redis</c>, <c>file</c>.</param>
/// <param name="Position">Up to where the log is in effect here, <c>milliseconds-sequence</c>.</param>
/// <param name="CaughtUp">The whole log has been read once since the start.</param>
/// <param name="Available">The log can be used.</param>
/// <param name="LagSeconds">How long ago all that was in the log was in effect here; null before it was read once.</param>
/// <param name="Peers">The other PoPs.</param>
internal sealed record PurgeState(
    string Pop, string Node, string Log, string Position, bool CaughtUp, bool Available, double? LagSeconds, IReadOnlyList<PurgePeerState> Peers);

/// <summary>How it stands with another PoP.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Unacknowledged">Purges accepted here that it hasn't acknowledged; null: not known now.</param>
/// <param name="Error">Why it couldn't be reached the last time; null: it could.</param>
internal sealed record PurgePeerState(string Name, long? Unacknowledged, string? Error);

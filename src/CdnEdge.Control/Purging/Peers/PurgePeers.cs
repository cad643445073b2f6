using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// Carries the purges that this PoP accepted to every other PoP, and never gives up. Of the PoP's nodes one at a time does so
/// for each peer; another takes over when it's gone.
/// </summary>
internal sealed class PurgePeers : BackgroundService
{
    private readonly List<PeerLink> _links;

    /// <param name="options">Checked already (<see cref="PurgeOptions.Errors"/>).</param>
    /// <param name="log">The PoP's.</param>
    /// <param name="ledger">Where it stands how far each peer is.</param>
    /// <param name="bus">This node's.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where changes of state are told.</param>
    internal PurgePeers(PurgeOptions options, IPurgeLog log, IPurgeLedger ledger, PurgeBus bus, TimeProvider time, ILogger<PurgePeers> logger)
    {
        _links = [.. options.Peers.Select(peer => new PeerLink(peer, options, log, ledger, bus, time, logger))];
    }

    /// <summary>Purges that the peers to which this node sends haven't acknowledged yet.</summary>
    internal IEnumerable<(string Peer, long Count)> Unacknowledged =>
        from link in _links
        let count = link.Unacknowledged
        where count is not null
        select (link.Peer, count.Value);

    public override void Dispose()
    {
        base.Dispose();
        _links.ForEach(static link => link.Dispose());
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(_links.Select(link => link.RunAsync(stoppingToken)));
}

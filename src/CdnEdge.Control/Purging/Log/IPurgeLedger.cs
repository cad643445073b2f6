namespace CdnEdge.Control;

/// <summary>What the nodes of a PoP tell each other beside the log: how far each is, and what other PoPs have got.</summary>
internal interface IPurgeLedger
{
    /// <summary>This node is alive and has applied the log up to there.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be written now.</exception>
    Task ReportAsync(string node, long position, CancellationToken cancellation);

    /// <summary>How far the nodes are that are alive.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<IReadOnlyDictionary<string, long>> NodesAsync(CancellationToken cancellation);

    /// <summary>Makes this node the one that sends to a peer, or prolongs that; false: another one is.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be asked now.</exception>
    Task<bool> TryLeadAsync(string peer, string node, TimeSpan lease, CancellationToken cancellation);

    /// <summary>How it stands with a peer; null: nothing was ever sent.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<PeerState?> PeerAsync(string peer, CancellationToken cancellation);

    /// <summary>Keeps how it stands with a peer. Durable when this returns.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be written now.</exception>
    Task SetPeerAsync(string peer, PeerState state, CancellationToken cancellation);
}

/// <summary>How it stands with a peer.</summary>
/// <param name="Cursor">It has acknowledged this PoP's log up to this position.</param>
/// <param name="Error">Why it couldn't be reached the last time; null: it could, or nobody has tried.</param>
internal sealed record PeerState(long Cursor, string? Error);

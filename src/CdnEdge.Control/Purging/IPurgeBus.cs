namespace CdnEdge.Control;

/// <summary>Takes purges and brings them to every node of this PoP and to every other PoP.</summary>
internal interface IPurgeBus
{
    /// <summary>
    /// Accepts a purge. When this returns it is durable in the PoP's log and in effect on this node.
    /// </summary>
    /// <param name="request">What to purge.</param>
    /// <param name="by">Who wants it (the token's name), for the log.</param>
    /// <param name="idempotencyKey">A key under which a repeated call is answered with the first one's receipt; null for none.</param>
    /// <param name="cancellation">Gives up waiting; the purge may be accepted all the same.</param>
    /// <exception cref="PurgeLogUnavailableException">The log can't be written now: nothing has been accepted.</exception>
    /// <exception cref="PurgeConflictException">The idempotency key was used for another purge.</exception>
    Task<PurgeReceipt> AcceptAsync(PurgeRequest request, string by, string? idempotencyKey, CancellationToken cancellation);

    /// <summary>Who has a purge by now; null if there is none of that id (or the log no longer has it).</summary>
    Task<PurgeStatus?> FindAsync(string id, CancellationToken cancellation);

    /// <summary>Completes when every PoP that can be reached has the purge; with the status as of then, or as of the deadline.</summary>
    Task<PurgeStatus> WaitForAllAsync(string id, TimeSpan deadline, CancellationToken cancellation);

    /// <summary>What a purge would hit in this node's memory now. Looks at every stored response: for people, not for machines.</summary>
    PurgeEstimate Estimate(PurgeRequest request);
}

/// <summary>A purge that was accepted.</summary>
/// <param name="Id">Its id: the PoP's name and the position in that PoP's log, <c>lhr-1732550000000-0</c>.</param>
/// <param name="AcceptedAt">When.</param>
/// <param name="IsRepeat">It was accepted by an earlier call with the same idempotency key.</param>
internal sealed record PurgeReceipt(string Id, DateTimeOffset AcceptedAt, bool IsRepeat);

/// <summary>Who has a purge.</summary>
/// <param name="Id">The purge.</param>
/// <param name="AcceptedAt">When it was accepted.</param>
/// <param name="Request">What it purged.</param>
/// <param name="Nodes">The nodes of this PoP that are alive.</param>
/// <param name="Pops">The other PoPs.</param>
internal sealed record PurgeStatus(
    string Id, DateTimeOffset AcceptedAt, PurgeRequest Request, IReadOnlyList<PurgeAcknowledgement> Nodes, IReadOnlyList<PurgeAcknowledgement> Pops)
{
    /// <summary>All that can be reached have it.</summary>
    public bool IsEverywhere => Nodes.Concat(Pops).All(static one => one.Acknowledged || !one.Reachable);
}

/// <summary>Whether a node or a PoP has a purge.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Acknowledged">It has it.</param>
/// <param name="Reachable">It answered lately.</param>
/// <param name="LastError">Why it can't be reached; null if it can.</param>
internal sealed record PurgeAcknowledgement(string Name, bool Acknowledged, bool Reachable, string? LastError);

/// <summary>What a purge would hit on this node.</summary>
/// <param name="Objects">Stored responses, each variant counted.</param>
/// <param name="Bytes">Bytes counted for them.</param>
internal sealed record PurgeEstimate(long Objects, long Bytes);

/// <summary>The log of purges can't be written now.</summary>
internal sealed class PurgeLogUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>An idempotency key was used before, for something else.</summary>
internal sealed class PurgeConflictException(string message) : Exception(message);

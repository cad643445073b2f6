namespace CdnEdge.Control;

/// <summary>What a PoP sends to another: purges that it accepted, in order. Without any, it asks whether somebody is there.</summary>
internal sealed record ReplicationBatch
{
    /// <summary>The PoP that accepted them.</summary>
    public required string From { get; init; }

    /// <summary>Which log of that PoP's holds them.</summary>
    public string Log { get; set; } = "";

    /// <summary>Purges between what was sent before and these may be lost: nothing older is to be trusted.</summary>
    public bool Distrust { get; set; }

    /// <summary>The purges.</summary>
    public IReadOnlyList<ReplicatedPurge> Entries { get; set; } = [];
}

/// <summary>A purge on its way to another PoP.</summary>
/// <param name="Id">Its position in the log of the PoP that accepted it, <c>milliseconds-sequence</c>.</param>
/// <param name="Entry">The purge.</param>
internal sealed record ReplicatedPurge(string Id, PurgeEntry Entry);

/// <summary>The other PoP has them: durable in its log, and in effect on the node that answers.</summary>
/// <param name="Pop">Which PoP that is.</param>
/// <param name="Appended">How many it didn't have yet.</param>
internal sealed record ReplicationReceipt(string Pop, int Appended);

/// <summary>A batch that can't be taken, however often it's sent.</summary>
internal sealed class ReplicationRefusedException(string message) : Exception(message);

namespace CdnEdge.Upstream.Peers;

/// <summary>What a request of another node of this CDN says, once it's found to be that.</summary>
/// <param name="Path">The ids of the nodes that it came through, the one that a client asked first, the one that sent it last.</param>
/// <param name="Remaining">How long the asker had left for it when it sent it.</param>
/// <param name="Signature">Its signature, which the answer's covers.</param>
internal sealed record PeerRequest(IReadOnlyList<string> Path, TimeSpan Remaining, ReadOnlyMemory<byte> Signature)
{
    /// <summary>When it came, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    internal required long Arrival { get; init; }

    /// <summary>The asker still has the key before: it's answered with the same.</summary>
    internal bool IsOfPreviousKey { get; init; }

    /// <summary>The node that sent it.</summary>
    internal string Asker => Path[^1];

    /// <summary>How long the asker still waits for an answer, as far as this node's clock tells; never negative.</summary>
    internal TimeSpan Left(TimeProvider time)
    {
        var left = Remaining - time.GetElapsedTime(Arrival);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}

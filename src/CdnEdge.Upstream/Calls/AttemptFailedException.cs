using CdnEdge.Upstream.Failures;

namespace CdnEdge.Upstream.Calls;

/// <summary>One attempt gave no usable response.</summary>
internal sealed class AttemptFailedException(ProxyStatus failure, Exception? inner = null) : Exception(failure.Details, inner)
{
    internal ProxyStatus Failure { get; } = failure;

    /// <summary>The response, where there is one: it's passed on if nobody else does better.</summary>
    internal HttpResponseMessage? Response { get; init; }

    /// <summary>The request never left, so even what isn't idempotent may go elsewhere.</summary>
    internal bool WasNeverSent { get; init; }

    /// <summary>It says something about the destination: not so a full queue, or a node that hasn't stored what it was asked for.</summary>
    internal bool CountsAgainstDestination { get; init; } = true;

    /// <summary>A sibling doesn't have it: what is told of the hops leaves that out.</summary>
    internal bool IsOnlyAbsence { get; init; }
}

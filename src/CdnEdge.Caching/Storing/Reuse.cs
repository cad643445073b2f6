namespace CdnEdge.Caching;

/// <summary>What a stored response that matches a request is good for.</summary>
internal enum ReuseDecision
{
    /// <summary>Serve it.</summary>
    Fresh,
    /// <summary>Serve it stale and revalidate in the background (RFC 5861 §3).</summary>
    StaleWhileRevalidate,
    /// <summary>Serve it stale: the request's max-stale allows it.</summary>
    MaxStale,
    /// <summary>Validate it first.</summary>
    Revalidate,
    /// <summary>It may not be used for this request at all (Authorization, RFC 9111 §3.5).</summary>
    Unusable,
}

/// <summary>Whether a stored response may be used (RFC 9111 §4).</summary>
internal static class Reuse
{
    /// <summary>For a request about to be answered. Allocates nothing.</summary>
    internal static ReuseDecision Decide(StoredHead head, in RequestDirectives request, bool hasAuthorization, DateTimeOffset now) => throw new NotImplementedException();

    /// <summary>
    /// After a failed validation: whether the stale response may be served instead. <paramref name="disconnected"/>:
    /// no response came at all (the policy's grace counts); otherwise a 500, 502, 503 or 504 came (stale-if-error counts).
    /// </summary>
    internal static bool MayServeOnError(StoredHead head, in RequestDirectives request, bool disconnected, DateTimeOffset now) => throw new NotImplementedException();
}

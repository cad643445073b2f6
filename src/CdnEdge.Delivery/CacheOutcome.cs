namespace CdnEdge.Delivery;

/// <summary>How a request was answered: the word of Cache-Status, the metrics and the logs.</summary>
public enum CacheOutcome
{
    /// <summary>From the store, fresh.</summary>
    Hit,

    /// <summary>From the store, past its freshness, as a stale rule allows.</summary>
    Stale,

    /// <summary>From the store after the origin confirmed it.</summary>
    Revalidated,

    /// <summary>From upstream through the cache; stored if it may be.</summary>
    Miss,

    /// <summary>From upstream, past the cache; see <see cref="BypassReason"/>.</summary>
    Bypass,

    /// <summary>Answered by the edge itself with an error.</summary>
    Error,
}

/// <summary>Why a request goes past the cache.</summary>
public enum BypassReason
{
    /// <summary>It doesn't.</summary>
    None,

    /// <summary>The policy is disabled for the route, or a bypass condition of it holds.</summary>
    Policy,

    /// <summary>The method isn't one that a cache answers.</summary>
    Method,

    /// <summary>A GET or HEAD with a body.</summary>
    RequestBody,

    /// <summary>An upgrade (WebSocket) or extended CONNECT.</summary>
    Upgrade,

    /// <summary>An event stream or <c>Incremental: ?1</c>.</summary>
    Stream,

    /// <summary>Request <c>no-store</c>.</summary>
    RequestNoStore,
}

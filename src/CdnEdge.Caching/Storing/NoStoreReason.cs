namespace CdnEdge.Caching;

/// <summary>Why a response isn't stored; the log's, the metric's and Cache-Status's word for it too.</summary>
public enum NoStoreReason
{
    /// <summary>It is stored.</summary>
    None,
    /// <summary>The request's method isn't one whose responses the policy stores.</summary>
    Method,
    /// <summary>The status is never stored, not understood, or one that a request's own headers can provoke.</summary>
    Status,
    /// <summary>Response <c>no-store</c>.</summary>
    NoStore,
    /// <summary>Response <c>private</c>.</summary>
    Private,
    /// <summary>Request <c>no-store</c>.</summary>
    RequestNoStore,
    /// <summary>The request carried Authorization and the response doesn't allow sharing (RFC 9111 §3.5).</summary>
    Authorization,
    /// <summary><c>Vary: *</c>.</summary>
    VaryStar,
    /// <summary>Set-Cookie under <see cref="SetCookiePolicy.Bypass"/>.</summary>
    SetCookie,
    /// <summary>Neither explicit freshness nor a heuristic nor a validator: it could never be used.</summary>
    NotFresh,
    /// <summary>Only heuristically fresh, and the request carried cookies.</summary>
    Cookie,
    /// <summary>An event stream, gRPC, or <c>Incremental: ?1</c>.</summary>
    Stream,
    /// <summary>206 without a usable Content-Range, or multipart/byteranges.</summary>
    PartialUnusable,
    /// <summary>Larger than the policy allows.</summary>
    TooLarge,
    /// <summary>The policy or the application said so.</summary>
    Policy,
    /// <summary>The body didn't arrive whole.</summary>
    Incomplete,
    /// <summary>The resource was invalidated while the response was under way.</summary>
    Invalidated,
    /// <summary>Its Content-Type isn't one of a file with the path's extension (<see cref="CachePolicy.CheckExtension"/>).</summary>
    Extension,
    /// <summary>A redirect to the very URL by another scheme: the key has no scheme, so it would answer those who came by that too.</summary>
    SchemeRedirect,
}

using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// What tells a stored response from others of its URL: the policy's chosen headers and cookies, and the request fields
/// that Vary names (RFC 9111 §4.1), each normalised. Accept-Encoding and Accept-Language are reduced to what the origin
/// was seen to vary on: a response chosen from a set of codings also answers a request that offers fewer, as long as
/// the chosen one is among them.
/// </summary>
internal sealed class Variance
{
    /// <summary>No Vary and nothing of the policy's.</summary>
    internal static Variance None => throw new NotImplementedException();

    /// <summary>Response had <c>Vary: *</c>: matches nothing.</summary>
    internal bool IsStar { get; }

    internal static Variance Create(CachePolicy policy, IHeaderDictionary requestHeaders, IHeaderDictionary responseHeaders) => throw new NotImplementedException();

    /// <summary>Whether the stored response may answer this request. Allocates nothing where nothing varies.</summary>
    internal bool Matches(CachePolicy policy, IHeaderDictionary requestHeaders) => throw new NotImplementedException();

    /// <summary>True when a response stored with <paramref name="newer"/> makes one stored with this superfluous (same selecting values, or a subset answered alike).</summary>
    internal bool IsReplacedBy(Variance newer) => throw new NotImplementedException();

    /// <summary>
    /// Normalised request values under this variance's field names, as one string: requests with equal strings may share
    /// a fill. Empty where nothing varies.
    /// </summary>
    internal string SelectingKey(CachePolicy policy, IHeaderDictionary requestHeaders) => throw new NotImplementedException();

    /// <summary>The part of a selecting key that's known before any response: the policy's headers and cookies only.</summary>
    internal static string PolicyKey(CachePolicy policy, IHeaderDictionary requestHeaders) => throw new NotImplementedException();

    internal int ManagedBytes => throw new NotImplementedException();
}

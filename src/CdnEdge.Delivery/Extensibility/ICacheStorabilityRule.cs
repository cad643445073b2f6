using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>
/// A further condition for storing a response. Register as a singleton. It can only forbid: what HTTP and the policy
/// don't allow is never stored.
/// </summary>
public interface ICacheStorabilityRule
{
    /// <summary>False: the response isn't stored (<see cref="NoStoreReason.Policy"/>) and isn't shared with waiting clients.</summary>
    bool MayStore(in CacheCandidate candidate);
}

/// <summary>A response about to be stored.</summary>
/// <param name="Method">The request's method.</param>
/// <param name="Url">Host, path and query of the key.</param>
/// <param name="RequestHeaders">The request's fields as they went upstream.</param>
/// <param name="Status">The response's status.</param>
/// <param name="ResponseHeaders">The response's fields as received.</param>
public readonly record struct CacheCandidate(
    string Method,
    string Url,
    IHeaderDictionary RequestHeaders,
    int Status,
    IHeaderDictionary ResponseHeaders);

using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Routing;
using CdnEdge.Storage;

namespace CdnEdge.Delivery;

/// <summary>What looking a request up came to, for the way after the hit path.</summary>
/// <param name="Route">The route that it matched.</param>
/// <param name="Policy">Its policy.</param>
/// <param name="Key">The URL's key.</param>
/// <param name="Directives">The request's cache directives; none where the policy doesn't honour them.</param>
/// <param name="HasAuthorization">The request has credentials.</param>
/// <param name="Resource">What is stored of the URL; null if nothing.</param>
/// <param name="Stored">The stored response that matches the request but can't answer it as it is; null if none.</param>
internal sealed record Lookup(
    CachedRoute Route,
    CachePolicy Policy,
    CacheKey Key,
    RequestDirectives Directives,
    bool HasAuthorization,
    Resource? Resource,
    StoredResponse? Stored)
{
    /// <summary>Why the request goes forward, for Cache-Status.</summary>
    internal ForwardReason ForwardReason =>
        Stored is not null ? (Stored.Body is PartialBody ? ForwardReason.Partial : Directives != default && IsFreshAnyway ? ForwardReason.Request : ForwardReason.Stale)
        : Resource is { Variants.Length: > 0 } ? ForwardReason.VaryMiss
        : ForwardReason.UriMiss;

    /// <summary>The stored response is fresh, it's the request that wants more.</summary>
    internal bool IsFreshAnyway { get; init; }

    /// <summary>
    /// The second look: what the second tier holds has been taken into memory if it's of use there, and isn't looked for again.
    /// </summary>
    internal bool IsAgain { get; init; }

    /// <summary>What the request collapses on, as far as it's known what the URL varies by.</summary>
    internal FillKey FillKeyFor(Variance? known, Microsoft.AspNetCore.Http.IHeaderDictionary headers) =>
        new(Key, known is null || known.IsStar ? Variance.PolicyKey(Policy, headers) : known.SelectingKey(Policy, headers));
}

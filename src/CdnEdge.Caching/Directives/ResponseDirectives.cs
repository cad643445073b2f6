using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// The cache directives that govern a response at the edge: Cache-Control (RFC 9111 §5.2.2, RFC 5861), or the first
/// targeted field that is valid and not empty (RFC 9213 §2.2).
/// </summary>
internal sealed class ResponseDirectives
{
    /// <summary>The targeted field these come from; null when they come from Cache-Control.</summary>
    internal string? TargetedField { get; init; }

    internal bool NoStore { get; init; }
    /// <summary>Unqualified no-cache.</summary>
    internal bool NoCache { get; init; }
    internal IReadOnlyList<string> NoCacheFields { get; init; } = [];
    /// <summary>Unqualified private.</summary>
    internal bool Private { get; init; }
    internal IReadOnlyList<string> PrivateFields { get; init; } = [];
    internal bool Public { get; init; }
    internal bool MustRevalidate { get; init; }
    internal bool ProxyRevalidate { get; init; }
    internal bool MustUnderstand { get; init; }
    internal bool NoTransform { get; init; }

    /// <summary>Seconds; null when absent, 0 when present but invalid (stale, RFC 9111 §4.2.1).</summary>
    internal long? MaxAge { get; init; }
    internal long? SMaxAge { get; init; }
    internal long? StaleWhileRevalidate { get; init; }
    internal long? StaleIfError { get; init; }

    /// <summary>Parses the directives that govern under <paramref name="policy"/> (its targeted fields, override and ignore settings).</summary>
    internal static ResponseDirectives Parse(IHeaderDictionary headers, CachePolicy policy) => throw new NotImplementedException();
}

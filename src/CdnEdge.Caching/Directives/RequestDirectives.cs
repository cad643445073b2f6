using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// A request's cache directives (RFC 9111 §5.2.1); <c>Pragma: no-cache</c> counts as no-cache only where there is no
/// Cache-Control (§5.4). Seconds; null when absent or unusable. Parsing an absent Cache-Control allocates nothing.
/// </summary>
internal readonly record struct RequestDirectives
{
    internal bool NoStore { get; init; }
    internal bool NoCache { get; init; }
    internal bool OnlyIfCached { get; init; }
    internal long? MaxAge { get; init; }
    internal long? MinFresh { get; init; }
    /// <summary><see cref="long.MaxValue"/> for max-stale without a value.</summary>
    internal long? MaxStale { get; init; }
    internal long? StaleIfError { get; init; }

    internal static RequestDirectives Parse(IHeaderDictionary headers) => throw new NotImplementedException();
}

using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// A request's cache directives (RFC 9111 §5.2.1); <c>Pragma: no-cache</c> counts as no-cache only where there is no
/// Cache-Control (§5.4). Seconds; null when absent or unusable. Parsing an absent Cache-Control allocates nothing.
/// </summary>
/// <remarks>Of directives given twice the more demanding one counts.</remarks>
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

    internal static RequestDirectives Parse(IHeaderDictionary headers)
    {
        var lines = headers.CacheControl;
        if (lines.Count == 0)
        {
            var pragma = headers.Pragma;
            return pragma.Count == 0 ? default : new RequestDirectives { NoCache = HasNoCache(new CacheControlReader(pragma)) };
        }

        bool noStore = false, noCache = false, onlyIfCached = false;
        long? maxAge = null, minFresh = null, maxStale = null, staleIfError = null;
        var reader = new CacheControlReader(lines);
        while (reader.MoveNext())
        {
            if (reader.Is("no-cache"))
                noCache = true;
            else if (reader.Is("no-store"))
                noStore = true;
            else if (reader.Is("only-if-cached"))
                onlyIfCached = true;
            else if (reader.Is("max-age") && reader.TryGetSeconds(out var seconds))
                maxAge = Math.Min(maxAge ?? long.MaxValue, seconds);
            else if (reader.Is("min-fresh") && reader.TryGetSeconds(out seconds))
                minFresh = Math.Max(minFresh ?? 0, seconds);
            else if (reader.Is("max-stale") && !reader.HasArgument && !reader.IsMalformed)
                maxStale ??= long.MaxValue;
            else if (reader.Is("max-stale") && reader.TryGetSeconds(out seconds))
                maxStale = Math.Min(maxStale ?? long.MaxValue, seconds);
            else if (reader.Is("stale-if-error") && reader.TryGetSeconds(out seconds))
                staleIfError = Math.Min(staleIfError ?? long.MaxValue, seconds);
        }

        return new RequestDirectives
        {
            NoStore = noStore,
            NoCache = noCache,
            OnlyIfCached = onlyIfCached,
            MaxAge = maxAge,
            MinFresh = minFresh,
            MaxStale = maxStale,
            StaleIfError = staleIfError,
        };
    }

    private static bool HasNoCache(CacheControlReader reader)
    {
        while (reader.MoveNext())
        {
            if (reader.Is("no-cache"))
                return true;
        }

        return false;
    }
}

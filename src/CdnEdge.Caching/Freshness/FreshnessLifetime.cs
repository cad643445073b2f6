using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>freshness_lifetime (RFC 9111 §4.2.1, §4.2.2), with the policy's say where the origin has none.</summary>
internal static class FreshnessLifetime
{
    /// <param name="date">The Date field, or the time of arrival.</param>
    internal static (TimeSpan Lifetime, FreshnessSource Source) Of(
        int status,
        IHeaderDictionary headers,
        ResponseDirectives directives,
        CachePolicy policy,
        DateTimeOffset date,
        DateTimeOffset responseTime)
    {
        var (lifetime, source) = Unbounded(status, headers, directives, policy, date, responseTime);
        // MinTtl and MaxTtl bound a lifetime; where there is none, DefaultTtl is the setting that gives one.
        if (source == FreshnessSource.None)
            return (TimeSpan.Zero, source);
        if (policy.MinTtl is { } min && lifetime < min)
            lifetime = min;
        if (policy.MaxTtl is { } max && lifetime > max)
            lifetime = max;
        return (lifetime, source);
    }

    private static (TimeSpan Lifetime, FreshnessSource Source) Unbounded(
        int status,
        IHeaderDictionary headers,
        ResponseDirectives directives,
        CachePolicy policy,
        DateTimeOffset date,
        DateTimeOffset responseTime)
    {
        if (directives.SMaxAge is { } sMaxAge)
            return (DeltaSeconds.ToTimeSpan(sMaxAge), FreshnessSource.SMaxAge);
        if (directives.MaxAge is { } maxAge)
            return (DeltaSeconds.ToTimeSpan(maxAge), FreshnessSource.MaxAge);

        // Expires goes with Cache-Control: where a targeted field or the policy governs, it's ignored too (RFC 9213 §2.2).
        var expires = headers.Expires;
        if (expires.Count != 0
            && directives.TargetedField is null
            && !policy.IgnoreOriginCacheControl
            && policy.OverrideCacheControl is null)
        {
            // "especially the value "0"": whatever is no date is a time in the past (RFC 9111 §5.3). Already expired is
            // as stale as it gets: staleness counts from the arrival.
            return HttpDate.TryParse(expires, responseTime, out var until) && until > date
                ? (until - date, FreshnessSource.Expires)
                : (TimeSpan.Zero, FreshnessSource.Expires);
        }

        if (CacheableStatus.Ttl(status, policy) is { } statusTtl)
            return (statusTtl, FreshnessSource.Policy);

        // "public" lets any status have a heuristic lifetime (RFC 9111 §5.2.2.9).
        if (!CacheableStatus.IsHeuristic(status) && !directives.Public)
            return (TimeSpan.Zero, FreshnessSource.None);
        if (policy.DefaultTtl is { } defaultTtl)
            return (defaultTtl, FreshnessSource.Policy);
        return HttpDate.TryParse(headers.LastModified, responseTime, out var modified) && modified < date
            ? Heuristic(date - modified, policy)
            : (TimeSpan.Zero, FreshnessSource.None);
    }

    private static (TimeSpan Lifetime, FreshnessSource Source) Heuristic(TimeSpan unchangedFor, CachePolicy policy)
    {
        var lifetime = unchangedFor * Math.Clamp(policy.HeuristicFraction, 0, 1);
        if (lifetime > policy.HeuristicCeiling)
            lifetime = policy.HeuristicCeiling;
        return lifetime > TimeSpan.Zero
            ? (lifetime, FreshnessSource.Heuristic)
            : (TimeSpan.Zero, FreshnessSource.None);
    }
}

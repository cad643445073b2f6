using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>Where a freshness lifetime comes from.</summary>
internal enum FreshnessSource
{
    /// <summary>Nothing gives one: not fresh.</summary>
    None,
    SMaxAge,
    MaxAge,
    Expires,
    Heuristic,
    /// <summary>The policy's default or status TTL.</summary>
    Policy,
}

/// <summary>How long a response is fresh and how old it was on arrival (RFC 9111 §4.2).</summary>
/// <param name="Lifetime">Freshness lifetime, already bounded by the policy's MinTtl and MaxTtl.</param>
/// <param name="Source">Where <paramref name="Lifetime"/> comes from.</param>
/// <param name="InitialAge">corrected_initial_age, §4.2.3.</param>
/// <param name="ResponseTime">When the response arrived.</param>
internal readonly record struct Freshness(TimeSpan Lifetime, FreshnessSource Source, TimeSpan InitialAge, DateTimeOffset ResponseTime)
{
    /// <summary>True where the origin itself said how long (max-age, s-maxage, Expires, targeted): "explicit" in RFC 9111.</summary>
    internal bool IsExplicit => Source is FreshnessSource.SMaxAge or FreshnessSource.MaxAge or FreshnessSource.Expires;

    /// <summary>
    /// How long before <see cref="ResponseTime"/> the fetch began: the request to the origin, through however many nodes of this
    /// CDN. It isn't the age: that says what the origin's own caches and its clock make of it too.
    /// </summary>
    internal TimeSpan AskedBefore { get; init; }

    /// <summary>How long ago the origin was asked for it, at least so long; never negative.</summary>
    internal TimeSpan FetchedAgo(DateTimeOffset now)
    {
        var resident = now - ResponseTime;
        return resident > TimeSpan.Zero ? AskedBefore + resident : AskedBefore;
    }

    /// <summary>The same of what consists in part of another response: fetched no later than either.</summary>
    internal Freshness FetchedWith(in Freshness other)
    {
        var since = ResponseTime - other.ResponseTime + other.AskedBefore;
        return since > AskedBefore ? this with { AskedBefore = since } : this;
    }

    /// <summary>current_age, never negative.</summary>
    internal TimeSpan Age(DateTimeOffset now)
    {
        // A clock that was set back doesn't make a response younger than it came.
        var resident = now - ResponseTime;
        return resident > TimeSpan.Zero ? InitialAge + resident : InitialAge;
    }

    /// <summary>Lifetime minus age: negative when stale.</summary>
    internal TimeSpan Remaining(DateTimeOffset now) => Lifetime - Age(now);

    /// <param name="fetchedAgo">Where another node of this CDN answered: how long ago, by its own word, it had asked the origin.</param>
    internal static Freshness Of(
        int status,
        IHeaderDictionary headers,
        ResponseDirectives directives,
        CachePolicy policy,
        DateTimeOffset requestTime,
        DateTimeOffset responseTime,
        TimeSpan fetchedAgo = default)
    {
        var hasDate = HttpDate.TryParse(headers.Date, responseTime, out var date);
        if (!hasDate)
            date = responseTime;

        var (lifetime, source) = FreshnessLifetime.Of(status, headers, directives, policy, date, responseTime);
        return new Freshness(lifetime, source, CorrectedInitialAge(headers, hasDate ? date : null, requestTime, responseTime), responseTime)
        {
            // The node said so while this one was waiting: the whole wait on top errs towards older, which is the safe side.
            AskedBefore = Delay(requestTime, responseTime) + (fetchedAgo > TimeSpan.Zero ? fetchedAgo : TimeSpan.Zero),
        };
    }

    private static TimeSpan Delay(DateTimeOffset requestTime, DateTimeOffset responseTime) =>
        responseTime > requestTime ? responseTime - requestTime : TimeSpan.Zero;

    /// <summary>RFC 9111 §4.2.3.</summary>
    private static TimeSpan CorrectedInitialAge(
        IHeaderDictionary headers, DateTimeOffset? date, DateTimeOffset requestTime, DateTimeOffset responseTime)
    {
        // Date is cut to the second: so is the time it's compared with, else everything would arrive half a second old.
        var apparent = date is { } sent
            ? TimeSpan.FromTicks(responseTime.UtcTicks - responseTime.UtcTicks % TimeSpan.TicksPerSecond - sent.UtcTicks)
            : TimeSpan.Zero;
        var corrected = DeltaSeconds.ToTimeSpan(AgeField.Parse(headers.Age)) + Delay(requestTime, responseTime);
        return apparent > corrected ? apparent : corrected;
    }
}

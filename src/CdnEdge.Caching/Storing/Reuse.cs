namespace CdnEdge.Caching;

/// <summary>What a stored response that matches a request is good for.</summary>
internal enum ReuseDecision
{
    /// <summary>Serve it.</summary>
    Fresh,
    /// <summary>Serve it stale and revalidate in the background (RFC 5861 §3).</summary>
    StaleWhileRevalidate,
    /// <summary>Serve it stale: the request's max-stale allows it.</summary>
    MaxStale,
    /// <summary>Validate it first.</summary>
    Revalidate,
    /// <summary>It may not be used for this request at all (Authorization, RFC 9111 §3.5).</summary>
    Unusable,
}

/// <summary>Whether a stored response may be used (RFC 9111 §4).</summary>
internal static class Reuse
{
    /// <summary>For a request about to be answered. Allocates nothing.</summary>
    internal static ReuseDecision Decide(StoredHead head, in RequestDirectives request, bool hasAuthorization, DateTimeOffset now)
    {
        if (hasAuthorization && !head.AllowsAuthorized)
            return ReuseDecision.Unusable;
        if (head.AlwaysRevalidate || request.NoCache || request.NoStore)
            return ReuseDecision.Revalidate;

        var age = head.Freshness.Age(now).Ticks;
        // max-age=0 is how a browser's reload says "validate": also a response that came in this very instant.
        if (request.MaxAge is { } maxAge && (maxAge == 0 || age > Ticks(maxAge)))
            return ReuseDecision.Revalidate;

        var remaining = head.Freshness.Lifetime.Ticks - age;
        if (request.MinFresh is { } minFresh && remaining < Ticks(minFresh))
            return ReuseDecision.Revalidate;
        if (remaining > 0)
            return ReuseDecision.Fresh;

        // "Unless the max-stale request directive is also present", a client that sends max-age wants nothing stale
        // (RFC 9111 §5.2.1.1); nor does one that sends min-fresh.
        if (request.MinFresh is not null || (request.MaxAge is not null && request.MaxStale is null))
            return ReuseDecision.Revalidate;

        var staleness = -remaining;
        if (IsWithin(staleness, head.StaleWhileRevalidate))
            return ReuseDecision.StaleWhileRevalidate;
        return !head.ForbidsStale && request.MaxStale is { } maxStale && staleness <= Ticks(maxStale)
            ? ReuseDecision.MaxStale
            : ReuseDecision.Revalidate;
    }

    /// <summary>
    /// After a failed validation: whether the stale response may be served instead. <paramref name="disconnected"/>:
    /// no response came at all (the policy's grace counts); otherwise a 500, 502, 503 or 504 came (stale-if-error counts).
    /// </summary>
    internal static bool MayServeOnError(StoredHead head, in RequestDirectives request, bool disconnected, DateTimeOffset now)
    {
        var staleness = -head.Freshness.Remaining(now).Ticks;
        return IsWithin(staleness, head.StaleIfError)
            || (!head.ForbidsStale && request.StaleIfError is > 0 and var window && staleness <= Ticks(window))
            || (disconnected && IsWithin(staleness, head.Grace));
    }

    /// <summary>A window of zero is none, even for a response that got stale this instant.</summary>
    private static bool IsWithin(long staleness, TimeSpan window) => window.Ticks > 0 && staleness <= window.Ticks;

    private static long Ticks(long seconds) =>
        seconds > DeltaSeconds.Max ? long.MaxValue : seconds * TimeSpan.TicksPerSecond;
}

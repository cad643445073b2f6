using System.Threading.RateLimiting;

namespace CdnEdge.Security;

/// <summary>A bucket of tokens. It's filled when it's asked, by the time since: no timer has to look after a hundred thousand of them.</summary>
#pragma warning disable CA1001 // What a limiter has to give back is its timer, and this one has none.
internal sealed class Bucket(TokenBucketRateLimiterOptions options)
#pragma warning restore CA1001
{
    private readonly TokenBucketRateLimiter _limiter = new(options);

    /// <summary>Takes a token. Null: there was one; else the time until there's another.</summary>
    internal TimeSpan? Take()
    {
        _limiter.TryReplenish();
        using var lease = _limiter.AttemptAcquire();
        if (lease.IsAcquired)
            return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : options.ReplenishmentPeriod;
    }

    internal static TokenBucketRateLimiterOptions OptionsFor(RateOptions rate)
    {
        var period = TimeSpan.FromSeconds(Math.Max(1 / rate.PerSecond, 0.01));
        return new TokenBucketRateLimiterOptions
        {
            AutoReplenishment = false,
            QueueLimit = 0,
            TokenLimit = rate.EffectiveBurst,
            ReplenishmentPeriod = period,
            TokensPerPeriod = Math.Max(1, (int)Math.Round(rate.PerSecond * period.TotalSeconds)),
        };
    }
}

using System.Threading.RateLimiting;

namespace CdnEdge.Upstream.Health;

/// <summary>Places for requests to one destination at a time. A place is held until the response's body has come, not only its head.</summary>
#pragma warning disable CA1001 // The limiter has no timer and nothing to free; those who wait in it have their own cancellation.
internal sealed class DestinationRoom(ConcurrencyOptions options)
#pragma warning restore CA1001
{
    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = options.Limit,
        QueueLimit = options.Queue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>A place, where one is free; null: there's none.</summary>
    internal RateLimitLease? TryEnter()
    {
        var lease = _limiter.AttemptAcquire();
        return lease.IsAcquired ? lease : null;
    }

    /// <summary>Waits for a place, if there is one to wait for. The attempt gives it back.</summary>
    internal async ValueTask<RateLimitLease> EnterAsync(Calls.UpstreamAttempt attempt, CancellationToken cancellation)
    {
        var lease = await _limiter.AcquireAsync(1, cancellation);
        if (!lease.IsAcquired)
            return lease;
        attempt.Hold(lease);
        return Held.Instance;
    }

    /// <summary>Stands in for the lease at the strategy, which would give it back with the response's head.</summary>
    private sealed class Held : RateLimitLease
    {
        internal static readonly Held Instance = new();

        public override bool IsAcquired => true;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }
    }
}

using CdnEdge.Caching;

namespace CdnEdge.Delivery.Serving;

/// <summary>Cache-Status of a stale response served in place of an error.</summary>
internal static class StaleStatus
{
    /// <summary>It was forwarded, so it's no "hit" (RFC 9211 §2.1); <paramref name="forwardStatus"/> null: no response came.</summary>
    internal static string Of(string name, StoredHead head, int? forwardStatus, DateTimeOffset now) =>
        new CacheStatus
        {
            Forward = ForwardReason.Stale,
            ForwardStatus = forwardStatus,
            Ttl = (long)Math.Floor(head.Freshness.Remaining(now).TotalSeconds),
            Detail = forwardStatus is null ? "stale-while-disconnected" : "stale-if-error",
        }.Format(name);
}

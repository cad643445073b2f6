using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace CdnEdge.Control;

// What the API answers, as JSON. Durations are in seconds.

/// <summary>A purge and who has it.</summary>
internal sealed record PurgeAnswer(
    string Id,
    DateTimeOffset AcceptedAt,
    bool Repeat,
    bool Everywhere,
    IReadOnlyList<PurgeAcknowledgement> Nodes,
    IReadOnlyList<PurgeAcknowledgement> Pops,
    PurgeRequest Request)
{
    /// <param name="status">Who has it.</param>
    /// <param name="repeat">It was accepted by an earlier call with the same idempotency key.</param>
    internal static PurgeAnswer Of(PurgeStatus status, bool repeat) => new(
        status.Id,
        status.AcceptedAt,
        repeat,
        status.Nodes.Concat(status.Pops).All(static one => one.Acknowledged),
        status.Nodes,
        status.Pops,
        status.Request);
}

/// <summary>What a purge would hit on this node; nothing was purged.</summary>
internal sealed record EstimateAnswer(bool DryRun, long Objects, long Bytes);

internal sealed record StatsAnswer(
    string Name,
    string Version,
    DateTimeOffset Since,
    double UptimeSeconds,
    bool Draining,
    IReadOnlyDictionary<string, long> Requests,
    long RequestsTotal,
    double? HitRatio,
    MemoryAnswer Memory,
    PurgeState? Purge,
    IReadOnlyList<ClusterAnswer> Upstreams);

/// <summary>A cluster of upstreams.</summary>
/// <param name="Cluster">Its id.</param>
/// <param name="DownSince">Since when nobody on the way from here over its failovers has answered; null: somebody does.</param>
/// <param name="P95FirstByteSeconds">The 95th percentile of the latest times to first byte; null: too few yet.</param>
/// <param name="Destinations">Its destinations.</param>
internal sealed record ClusterAnswer(string Cluster, DateTimeOffset? DownSince, double? P95FirstByteSeconds, IReadOnlyList<DestinationAnswer> Destinations);

/// <summary>A destination.</summary>
/// <param name="Destination">Its id.</param>
/// <param name="Condition">How it is: <c>healthy</c>, <c>slow-start</c>, <c>broken</c>, <c>ejected</c>, <c>unhealthy</c>.</param>
/// <param name="Reason">Why it isn't healthy; null where it is.</param>
/// <param name="Since">Since when it's so.</param>
/// <param name="InFlight">Requests under way.</param>
/// <param name="Requests">Requests since the node started.</param>
/// <param name="Failures">Those of them that say something against it.</param>
/// <param name="MedianFirstByteSeconds">The median of its latest times to first byte; null: too few yet.</param>
internal sealed record DestinationAnswer(
    string Destination, string Condition, string? Reason, DateTimeOffset Since, int InFlight, long Requests, long Failures, double? MedianFirstByteSeconds);

internal sealed record MemoryAnswer(long Objects, long UsedBytes, long MaxBytes, long Evictions);

internal sealed record ObjectsAnswer(string Url, IReadOnlyList<StoredUrlAnswer> Stored);

/// <summary>What is stored under one key: the policies under which the URL has it, and its variants.</summary>
internal sealed record StoredUrlAnswer(string Key, IReadOnlyList<string> Policies, IReadOnlyList<VariantAnswer> Variants);

/// <param name="CompressedBytes">Bytes of the body in each coding that this node has made of it.</param>
internal sealed record VariantAnswer(
    string Tier,
    int Status,
    long BodyBytes,
    bool Complete,
    long CountedBytes,
    double AgeSeconds,
    double LifetimeSeconds,
    double RemainingSeconds,
    string FreshnessFrom,
    double StaleWhileRevalidateSeconds,
    double StaleIfErrorSeconds,
    double GraceSeconds,
    IReadOnlyList<string> Tags,
    IReadOnlyList<string> Groups,
    [property: JsonPropertyName("etag")] string? ETag,
    IReadOnlyList<string> VariesBy,
    string? ContentEncoding,
    IReadOnlyDictionary<string, long> CompressedBytes,
    string? ContentLanguage,
    string? ContentType,
    string Served,
    string Why);

internal sealed record ReloadAnswer(bool Applied, string Contents, IReadOnlyList<string> NeedsRestart);

internal sealed record DrainAnswer(bool Draining, bool Changed);

internal sealed record HealthAnswer(string Status);

internal sealed record ConfigAnswer(JsonObject Configuration);

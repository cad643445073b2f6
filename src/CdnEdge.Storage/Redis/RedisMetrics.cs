using System.Diagnostics.Metrics;

namespace CdnEdge.Storage.Redis;

/// <summary>How a question to the tier ended.</summary>
internal enum LookupOutcome
{
    Hit,
    Miss,
    /// <summary>Something was there, but no use: see <see cref="SealFault"/>.</summary>
    Rejected,
    /// <summary>No answer, or an error.</summary>
    Error,
    /// <summary>Not asked: the circuit is open, or there's no connection yet.</summary>
    Open,
}

/// <summary>What became of a response that was to be written.</summary>
internal enum StoreOutcome
{
    Stored,
    /// <summary>Too many were waiting.</summary>
    Dropped,
    /// <summary>Larger than allowed, or gone by now.</summary>
    Unsuitable,
    /// <summary>Redis said no: full, read-only.</summary>
    Refused,
    Error,
    Open,
}

/// <summary>The tier's instruments, in the meter <c>CdnEdge.Redis</c>.</summary>
internal sealed class RedisMetrics : IDisposable
{
    /// <summary>The meter's name, for OpenTelemetry's AddMeter.</summary>
    internal const string MeterName = "CdnEdge.Redis";

    private readonly Meter _meter;
    private readonly Counter<long> _lookups;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _stores;
    private readonly Counter<long> _brokenBodies;

    internal RedisMetrics(IMeterFactory meters, Func<bool> isOpen)
    {
        _meter = meters.Create(MeterName);
        _lookups = _meter.CreateCounter<long>("cdnedge.redis.lookups", "{lookup}", "Questions to the Redis tier, by how they ended.");
        _rejected = _meter.CreateCounter<long>("cdnedge.redis.rejected", "{value}", "Values in Redis that were no use, by reason.");
        _stores = _meter.CreateCounter<long>("cdnedge.redis.stores", "{response}", "Responses to be written to Redis, by what became of them.");
        _brokenBodies = _meter.CreateCounter<long>("cdnedge.redis.broken_bodies", "{response}", "Bodies that broke off while they were read from Redis.");
        _meter.CreateObservableGauge("cdnedge.redis.open", () => isOpen() ? 1 : 0, null, "1 while Redis isn't asked because it failed.");
    }

    internal void Looked(LookupOutcome outcome) => _lookups.Add(1, new KeyValuePair<string, object?>("cdnedge.outcome", outcome switch
    {
        LookupOutcome.Hit => "hit",
        LookupOutcome.Miss => "miss",
        LookupOutcome.Rejected => "rejected",
        LookupOutcome.Error => "error",
        _ => "open",
    }));

    internal void Rejected(SealFault reason) => _rejected.Add(1, new KeyValuePair<string, object?>("cdnedge.reason", reason switch
    {
        SealFault.Version => "version",
        SealFault.Key => "key",
        SealFault.Tampered => "tampered",
        _ => "foreign",
    }));

    internal void Wrote(StoreOutcome outcome) => _stores.Add(1, new KeyValuePair<string, object?>("cdnedge.outcome", outcome switch
    {
        StoreOutcome.Stored => "stored",
        StoreOutcome.Dropped => "dropped",
        StoreOutcome.Unsuitable => "unsuitable",
        StoreOutcome.Refused => "refused",
        StoreOutcome.Error => "error",
        _ => "open",
    }));

    internal void BodyBroke() => _brokenBodies.Add(1);

    public void Dispose() => _meter.Dispose();
}

using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Delivery;

/// <summary>The cache's instruments, in the meter <c>CdnEdge.Cache</c>.</summary>
internal sealed class CacheMetrics : IDisposable
{
    /// <summary>The meter's name, for OpenTelemetry's AddMeter.</summary>
    internal const string MeterName = "CdnEdge.Cache";

    private static readonly KeyValuePair<string, object?>[] OutcomeTags =
        [.. Enum.GetValues<CacheOutcome>().Select(outcome => new KeyValuePair<string, object?>("cdnedge.outcome", NameOf(outcome)))];

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _stored;
    private readonly Counter<long> _notStored;
    private readonly Counter<long> _http2Floods;
    private readonly Counter<long> _http3Floods;

    public CacheMetrics(IMeterFactory meters, MemoryTier memory)
    {
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>("cdnedge.cache.requests", "{request}", "Requests by how they were answered.");
        _stored = _meter.CreateCounter<long>("cdnedge.cache.stored", "{response}", "Responses stored.");
        _notStored = _meter.CreateCounter<long>("cdnedge.cache.not_stored", "{response}", "Responses not stored, by reason.");
        _http2Floods = _meter.CreateCounter<long>("cdnedge.http2.floods", "{connection}", "HTTP/2 connections ended because their client sent little but frames without content, or took its requests back.");
        _http3Floods = _meter.CreateCounter<long>("cdnedge.http3.floods", "{connection}", "HTTP/3 connections ended because their client took its requests back again and again.");
        _meter.CreateObservableGauge("cdnedge.cache.memory.used", () => memory.UsedBytes, "By", "Bytes in use by the memory tier.");
        _meter.CreateObservableGauge("cdnedge.cache.memory.limit", () => memory.MaxBytes, "By", "The memory tier's bound.");
        _meter.CreateObservableGauge("cdnedge.cache.memory.objects", () => memory.Count, "{object}", "Stored responses in memory.");
        _meter.CreateObservableCounter("cdnedge.cache.memory.evictions", () => memory.Evictions, "{object}", "Responses evicted from memory.");
    }

    internal void Served(CacheOutcome outcome)
    {
        if (_requests.Enabled)
        {
            _requests.Add(1, OutcomeTags[(int)outcome]);
        }
    }

    internal void Stored() => _stored.Add(1);

    internal void Http2Flood() => _http2Floods.Add(1);

    /// <summary>An HTTP/3 connection was ended for what its client did.</summary>
    internal void Http3Flood() => _http3Floods.Add(1);

    internal void NotStored(NoStoreReason reason)
    {
        if (_notStored.Enabled)
        {
            _notStored.Add(1, new KeyValuePair<string, object?>("cdnedge.reason", NameOf(reason)));
        }
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>An outcome's or reason's name, as Cache-Status has it too: <c>NoStore</c> is <c>no-store</c>.</summary>
    internal static string NameOf<TEnum>(TEnum member)
        where TEnum : struct, Enum => Names<TEnum>.ByMember[member];

    private static class Names<TEnum>
        where TEnum : struct, Enum
    {
        internal static readonly FrozenDictionary<TEnum, string> ByMember =
            Enum.GetValues<TEnum>().ToFrozenDictionary(static member => member, static member => KebabCase(member.ToString()));

        private static string KebabCase(string name) =>
            string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));
    }
}

using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
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
    private readonly Counter<long> _compressions;
    private readonly Counter<long> _compressedFrom;
    private readonly Counter<long> _compressedTo;
    private readonly Counter<double> _compressionTime;

    public CacheMetrics(IMeterFactory meters, MemoryTier memory)
    {
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>("cdnedge.cache.requests", "{request}", "Requests by how they were answered.");
        _stored = _meter.CreateCounter<long>("cdnedge.cache.stored", "{response}", "Responses stored.");
        _notStored = _meter.CreateCounter<long>("cdnedge.cache.not_stored", "{response}", "Responses not stored, by reason.");
        _http2Floods = _meter.CreateCounter<long>("cdnedge.http2.floods", "{connection}", "HTTP/2 connections ended because their client sent little but frames without content, or took its requests back.");
        _http3Floods = _meter.CreateCounter<long>("cdnedge.http3.floods", "{connection}", "HTTP/3 connections ended because their client took its requests back again and again.");
        _compressions = _meter.CreateCounter<long>("cdnedge.cache.compressions", "{response}", "Stored responses compressed, by coding and result.");
        _compressedFrom = _meter.CreateCounter<long>("cdnedge.cache.compression.in", "By", "Bytes of the bodies that were compressed, by coding.");
        _compressedTo = _meter.CreateCounter<long>("cdnedge.cache.compression.out", "By", "Bytes that came of them, by coding.");
        _compressionTime = _meter.CreateCounter<double>("cdnedge.cache.compression.time", "s", "Time spent compressing, by coding, what came to nothing included.");
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

    /// <summary>A stored body was compressed, or wasn't.</summary>
    /// <param name="coding">To what.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="from">Bytes as it's stored.</param>
    /// <param name="to">Bytes compressed.</param>
    /// <param name="time">What it took.</param>
    internal void Compressed(string coding, EncodingResult result, long from, long to, TimeSpan time)
    {
        var ofCoding = new KeyValuePair<string, object?>("cdnedge.coding", coding);
        _compressions.Add(1, ofCoding, new KeyValuePair<string, object?>("cdnedge.result", NameOf(result)));
        _compressionTime.Add(time.TotalSeconds, ofCoding);
        if (result == EncodingResult.Done)
        {
            _compressedFrom.Add(from, ofCoding);
            _compressedTo.Add(to, ofCoding);
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

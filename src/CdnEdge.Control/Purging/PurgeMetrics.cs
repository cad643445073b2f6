using System.Diagnostics.Metrics;

namespace CdnEdge.Control;

/// <summary>The instruments of purging, in the meter <c>CdnEdge.Purge</c>.</summary>
internal sealed class PurgeMetrics : IDisposable
{
    /// <summary>The meter's name, for OpenTelemetry's AddMeter.</summary>
    internal const string MeterName = "CdnEdge.Purge";

    private const string FromTag = "cdnedge.from";
    private const string PeerTag = "cdnedge.peer";

    private readonly Meter _meter;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _applied;
    private readonly Counter<long> _dropped;

    internal PurgeMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _accepted = _meter.CreateCounter<long>("cdnedge.purge.accepted", "{purge}", "Purges that this node accepted.");
        _applied = _meter.CreateCounter<long>("cdnedge.purge.applied", "{entry}", "Entries of the log that this node put in effect, by where they come from.");
        _dropped = _meter.CreateCounter<long>("cdnedge.purge.traffic_dropped", "{scope}", "What traffic made outdated here and the other nodes weren't told of, for the log couldn't be written for long.");
    }

    /// <summary>Tells from now on how the log is followed, and how far the other PoPs are to which this node sends.</summary>
    internal void Observe(PurgeTail tail, Func<IEnumerable<(string Peer, long Count)>> unacknowledged)
    {
        _meter.CreateObservableGauge("cdnedge.purge.lag", () => Lag(tail), "s", "How long ago all that was in the log was in effect here.");
        _meter.CreateObservableGauge("cdnedge.purge.log.unavailable", () => tail.IsUnavailable ? 1 : 0, null, "1 while the log of purges can't be used.");
        _meter.CreateObservableGauge(
            "cdnedge.purge.peer.unacknowledged",
            () => unacknowledged().Select(static peer => new Measurement<long>(peer.Count, new KeyValuePair<string, object?>(PeerTag, peer.Peer))),
            "{purge}",
            "Purges that another PoP hasn't acknowledged yet, told by the node that sends to it.");
    }

    internal void Accepted() => _accepted.Add(1);

    internal void Applied(PurgeRecord record, string pop) => _applied.Add(1, new KeyValuePair<string, object?>(
        FromTag, record.IsTraffic ? "traffic" : record.Entry is null || record.Entry.Origin == pop ? "pop" : "peer"));

    internal void Dropped(int scopes) => _dropped.Add(scopes);

    public void Dispose() => _meter.Dispose();

    // Nothing before the log has been read once: no number would be true.
    private static IEnumerable<Measurement<double>> Lag(PurgeTail tail) => tail.Lag is { } lag ? [new Measurement<double>(lag.TotalSeconds)] : [];
}

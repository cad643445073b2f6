using System.Diagnostics.Metrics;

namespace CdnEdge.Upstream.Health;

/// <summary>The instruments of asking upstreams, in the meter <c>CdnEdge.Upstream</c>. Polly's own are in its meter <c>Polly</c>.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    /// <summary>The meter's name, for OpenTelemetry's AddMeter.</summary>
    internal const string MeterName = "CdnEdge.Upstream";

    private readonly Meter _meter;
    private readonly Counter<long> _attempts;
    private readonly Histogram<double> _firstByte;
    private readonly Counter<long> _failovers;
    private readonly Counter<long> _refusedByBudget;
    private readonly Counter<long> _leftOut;

    public UpstreamMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _attempts = _meter.CreateCounter<long>("cdnedge.upstream.attempts", "{attempt}", "Requests to destinations, by how they ended.");
        _firstByte = _meter.CreateHistogram<double>("cdnedge.upstream.time_to_first_byte", "s", "From the start of an attempt to the response's head.");
        _failovers = _meter.CreateCounter<long>("cdnedge.upstream.failovers", "{request}", "Requests that another cluster answered than the first one on their way.");
        _refusedByBudget = _meter.CreateCounter<long>("cdnedge.upstream.retries_over_budget", "{retry}", "Retries and hedged requests that the retry budget refused.");
        _leftOut = _meter.CreateCounter<long>("cdnedge.upstream.left_out", "{event}", "Destinations that are not asked for a time, by why.");
    }

    /// <param name="cluster">The cluster.</param>
    /// <param name="destination">The destination.</param>
    /// <param name="outcome"><c>ok</c>, <c>given_up</c>, or the error's token (Proxy-Status).</param>
    /// <param name="isHedge">It was made because another was slow.</param>
    internal void Attempted(string cluster, string destination, string outcome, bool isHedge)
    {
        if (_attempts.Enabled)
            _attempts.Add(1, new("cdnedge.cluster", cluster), new("cdnedge.destination", destination), new("cdnedge.outcome", outcome), new("cdnedge.hedge", isHedge));
    }

    internal void FirstByte(string cluster, TimeSpan elapsed)
    {
        if (_firstByte.Enabled)
            _firstByte.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("cdnedge.cluster", cluster));
    }

    internal void FailedOver(string from, string to) => _failovers.Add(1, new("cdnedge.cluster", from), new("cdnedge.to", to));

    internal void RefusedByBudget(string cluster) => _refusedByBudget.Add(1, new KeyValuePair<string, object?>("cdnedge.cluster", cluster));

    internal void LeftOut(UpstreamDestination destination, string reason) =>
        _leftOut.Add(1, new("cdnedge.cluster", destination.Cluster.Id), new("cdnedge.destination", destination.Id), new("cdnedge.reason", reason));

    /// <summary>Which destinations are asked, told by <paramref name="states"/> when somebody looks.</summary>
    internal void Observe(Func<IEnumerable<Measurement<int>>> states) =>
        _meter.CreateObservableGauge("cdnedge.upstream.available", states, "{destination}", "1 where a destination is asked, 0 where it's left out.");

    public void Dispose() => _meter.Dispose();
}

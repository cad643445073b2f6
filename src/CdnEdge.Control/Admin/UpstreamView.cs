using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Ways;

namespace CdnEdge.Control;

/// <summary>The upstreams as the API shows them; none where the node has no routes to speak of.</summary>
internal sealed class UpstreamView(Upstreams? upstreams)
{
    internal IReadOnlyList<ClusterAnswer> Clusters => upstreams is null ? [] : [.. upstreams.All.OrderBy(static one => one.Id, StringComparer.Ordinal).Select(Of)];

    private static ClusterAnswer Of(UpstreamCluster cluster) => new(
        cluster.Id,
        cluster.Way.DownSince,
        Seconds(cluster.Latency.Percentile(95)),
        [.. cluster.Destinations.OrderBy(static one => one.Id, StringComparer.Ordinal).Select(Of)]);

    private static DestinationAnswer Of(UpstreamDestination destination)
    {
        var (condition, reason, since) = destination.Describe();
        return new DestinationAnswer(
            destination.Id,
            NameOf(condition),
            reason.Length == 0 ? null : reason,
            since,
            destination.InFlight,
            destination.Requests,
            destination.Failures,
            Seconds(destination.Latency.Percentile(50)));
    }

    private static string NameOf(DestinationCondition condition) => condition switch
    {
        DestinationCondition.Healthy => "healthy",
        DestinationCondition.SlowStart => "slow-start",
        DestinationCondition.Broken => "broken",
        DestinationCondition.Ejected => "ejected",
        DestinationCondition.Unhealthy => "unhealthy",
        _ => throw new ArgumentOutOfRangeException(nameof(condition), condition, "No condition of a destination."),
    };

    private static double? Seconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalSeconds, 4) : null;
}

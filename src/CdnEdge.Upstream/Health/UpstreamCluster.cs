using System.Runtime.CompilerServices;
using CdnEdge.Upstream.Ways;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Health;

/// <summary>What is known of one cluster: its destinations, its latencies, its retry budget.</summary>
internal sealed class UpstreamCluster(
    ClusterState state, ClusterOptions options, UpstreamPipelines pipelines, HealthReport report, TimeProvider time)
{
    // By YARP's object: a destination that leaves the configuration goes with all that was known of it.
    private readonly ConditionalWeakTable<DestinationState, UpstreamDestination> _destinations = [];

    private Leg[]? _asWay;

    internal ClusterState State { get; } = state;

    internal string Id => State.ClusterId;

    internal ClusterOptions Options { get; } = options;

    internal HealthReport Report { get; } = report;

    internal LatencyWindow Latency { get; } = new();

    internal RetryBudget Budget { get; } = new(time);

    /// <summary>Whether the ways that begin here lead anywhere.</summary>
    internal WayHealth Way { get; } = new(state.ClusterId, options.SlowStart, report, time);

    /// <summary>What calls that begin here run through.</summary>
    internal Polly.ResiliencePipeline<HttpResponseMessage> Hedging { get; } = pipelines.Hedging(state.ClusterId);

    /// <summary>The way that leads here and no further.</summary>
    internal Leg[] AsWay => _asWay ??= [new Leg(this, LegKind.Origin)];

    internal IEnumerable<UpstreamDestination> Destinations => State.DestinationsState.AllDestinations.Select(Of);

    internal UpstreamDestination Of(DestinationState destination) =>
        _destinations.TryGetValue(destination, out var health)
            ? health
            : _destinations.GetValue(destination, added => new UpstreamDestination(this, added, pipelines, time));

    /// <summary>Held while one of the destinations is ejected.</summary>
    internal Lock Ejecting { get; } = new();

    /// <summary>Never the last ones: see <see cref="EjectionOptions.MaxShare"/>.</summary>
    internal bool MayEject(UpstreamDestination one)
    {
        var all = State.DestinationsState.AllDestinations;
        var away = 1;
        foreach (var destination in all)
        {
            if (Of(destination) is var other && other != one && other.IsLeftOut)
                away++;
        }

        return away < all.Count && away <= Math.Max(1, all.Count * Options.Ejection.MaxShare);
    }

    /// <summary>The median of the medians of the destinations beside <paramref name="one"/>; null where too little is known.</summary>
    internal TimeSpan? MedianOfOthers(UpstreamDestination one)
    {
        var medians = Destinations.Where(other => other != one).Select(static other => other.Latency.Percentile(50)).OfType<TimeSpan>().Order().ToArray();
        return medians.Length == 0 ? null : medians[medians.Length / 2];
    }
}

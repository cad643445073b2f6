using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using CdnEdge.Upstream.Health;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Ways;

/// <summary>All clusters with what is known of them, and the ways over them.</summary>
internal sealed class Upstreams
{
    private static readonly ClusterOptions Defaults = new();

    private readonly ConditionalWeakTable<ClusterState, Entry> _clusters = [];
    private readonly Lazy<IProxyStateLookup> _proxy;
    private readonly UpstreamOptions _options;
    private readonly UpstreamPipelines _pipelines;
    private readonly HealthReport _report;
    private readonly TimeProvider _time;

    /// <param name="proxy">YARP's state, which isn't there yet when this is made: it needs the clients that need this.</param>
    /// <param name="options">What this room knows of the node's options.</param>
    /// <param name="pipelines">Makes pipelines.</param>
    /// <param name="report">Told of changes.</param>
    /// <param name="metrics">Told of states.</param>
    /// <param name="time">The clock.</param>
    public Upstreams(
        Lazy<IProxyStateLookup> proxy, UpstreamOptions options, UpstreamPipelines pipelines, HealthReport report, UpstreamMetrics metrics, TimeProvider time)
    {
        (_proxy, _options, _pipelines, _report, _time) = (proxy, options, pipelines, report, time);
        metrics.Observe(Measure);
    }

    /// <summary>All clusters of the configuration in force.</summary>
    internal IEnumerable<UpstreamCluster> All => _proxy.Value.GetClusters().Select(Of);

    /// <summary>Nodes may ask other nodes here.</summary>
    internal bool HasPeers => _options.Peering.Key is not null;

    /// <summary>What is known of a cluster. A change of its options begins anew.</summary>
    internal UpstreamCluster Of(ClusterState cluster)
    {
        var options = OptionsOf(cluster.ClusterId);
        if (_clusters.TryGetValue(cluster, out var entry) && ReferenceEquals(entry.Options, options))
            return entry.Health;

        lock (_clusters)
        {
            if (_clusters.TryGetValue(cluster, out entry) && (ReferenceEquals(entry.Options, options) || SaySame(entry.Options, options)))
            {
                entry.Options = options;
                return entry.Health;
            }

            var health = new UpstreamCluster(cluster, options, _pipelines, _report, _time);
            _clusters.AddOrUpdate(cluster, new Entry(health) { Options = options });
            return health;
        }
    }

    /// <summary>The options of the cluster of that id.</summary>
    internal ClusterOptions OptionsOf(string cluster) => _options.Clusters().TryGetValue(cluster, out var options) ? options : Defaults;

    /// <summary>The way of a route's requests, in order.</summary>
    /// <param name="route">The route.</param>
    /// <param name="withPeers">Siblings and shields are asked, too.</param>
    internal Leg[] WayOf(RouteModel route, bool withPeers)
    {
        if (route.Cluster is not { } cluster)
            return [];
        var metadata = route.Config.Metadata;
        var own = Of(cluster);
        var failover = RouteMetadata.Read(metadata, RouteMetadata.Failover, own.Options.Failover);
        if (!withPeers && failover is null)
            return own.AsWay;

        var legs = new List<Leg>(4);
        if (withPeers)
        {
            Add(legs, RouteMetadata.Read(metadata, RouteMetadata.Siblings, own.Options.Siblings), LegKind.Siblings);
            Add(legs, RouteMetadata.Read(metadata, RouteMetadata.Shield, own.Options.Shield), LegKind.Shield);
        }

        var next = own;
        legs.Add(new Leg(own, LegKind.Origin));
        while (failover is not null && _proxy.Value.TryGetCluster(failover, out var state))
        {
            next = Of(state);
            if (legs.Exists(leg => leg.Kind == LegKind.Origin && leg.Cluster == next))
                break; // "check" refuses a circle; an application that doesn't ask it mustn't run in one.
            legs.Add(new Leg(next, LegKind.Origin));
            failover = RouteMetadata.Read(null, RouteMetadata.Failover, next.Options.Failover);
        }

        return [.. legs];
    }

    /// <summary>How the way of a route is, by what is known now; null: the route has no cluster.</summary>
    internal WayHealth? HealthOf(RouteModel route)
    {
        if (route.Cluster is not { } cluster)
            return null;
        var way = Of(cluster).Way;
        if (!way.IsImpaired)
            way.OnHealth(IsShut(route));
        return way;
    }

    /// <summary>Everybody is left out: broken, ejected, or failing probes. Siblings aside, who have what they have and ask nobody.</summary>
    private bool IsShut(RouteModel route) =>
        WayOf(route, HasPeers).All(static leg => leg.Kind == LegKind.Siblings || leg.Cluster.Destinations.All(static one => one.IsLeftOut));

    private void Add(List<Leg> legs, string? id, LegKind kind)
    {
        if (id is not null && _proxy.Value.TryGetCluster(id, out var state))
            legs.Add(new Leg(Of(state), kind));
    }

    private IEnumerable<Measurement<int>> Measure() =>
        from cluster in All
        from destination in cluster.Destinations
        select new Measurement<int>(destination.IsLeftOut ? 0 : 1, new("cdnedge.cluster", cluster.Id), new KeyValuePair<string, object?>("cdnedge.destination", destination.Id));

    // A reload reads all options anew: what is known of a cluster stays where its own say the same.
    private static bool SaySame(ClusterOptions one, ClusterOptions other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);

    private sealed class Entry(UpstreamCluster health)
    {
        internal UpstreamCluster Health { get; } = health;

        internal required ClusterOptions Options { get; set; }
    }
}

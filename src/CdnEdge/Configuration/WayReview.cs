using CdnEdge.Delivery;
using CdnEdge.Delivery.Configuration;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Ways;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Configuration;

/// <summary>What <c>CdnEdge:Clusters</c> and the routes say of ways, held against the clusters that are there.</summary>
/// <param name="cache">The options of the cache.</param>
/// <param name="clusters">YARP's clusters by id.</param>
/// <param name="listen">Where this node listens.</param>
internal sealed class WayReview(CdnCacheOptions cache, IReadOnlyDictionary<string, ClusterConfig> clusters, IReadOnlyList<ListenAddress> listen)
{
    private const string Path = "CdnEdge:Clusters";

    internal IEnumerable<string> Errors(IEnumerable<RouteConfig> routes) =>
        cache.Clusters.SelectMany(pair => OfCluster(pair.Key, pair.Value)).Concat(routes.SelectMany(OfRoute));

    private IEnumerable<string> OfCluster(string id, ClusterOptions options)
    {
        var path = $"{Path}:{id}";
        if (!clusters.TryGetValue(id, out var cluster))
        {
            yield return $"{path}: no cluster is named '{id}'{NearestName.Hint(id, clusters.Keys)}; clusters stand under ReverseProxy:Clusters";
            yield break;
        }

        foreach (var (key, other) in new[] { ("Shield", options.Shield), ("Siblings", options.Siblings), ("Failover", options.Failover) })
        {
            if (other is not null && !clusters.ContainsKey(other))
                yield return $"{path}:{key}: no cluster is named '{other}'{NearestName.Hint(other, clusters.Keys)}";
        }

        var active = cluster.HealthCheck?.Active;
        var isProbed = active?.Enabled == true;
        if (!SaysDefault(options.Probe) && !(isProbed && active!.Policy == ThresholdsHealthPolicy.PolicyName))
            yield return $"{path}:Probe: nothing is probed by it; it takes \"HealthCheck\": {{ \"Active\": {{ \"Enabled\": true, \"Policy\": \"{ThresholdsHealthPolicy.PolicyName}\" }} }} in ReverseProxy:Clusters:{id}";
        if (isProbed && active!.Timeout > active.Interval)
            yield return $"ReverseProxy:Clusters:{id}:HealthCheck:Active:Timeout: {active.Timeout:c} is longer than the Interval, {active.Interval:c}; a probe has to end before the next";

        if (!options.Peers)
            yield break;
        foreach (var (name, destination) in cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
        {
            if (IsThisNode(name, destination))
                yield return $"ReverseProxy:Clusters:{id}:Destinations:{name}: is this node itself; only other nodes belong into a cluster of nodes";
        }
    }

    private IEnumerable<string> OfRoute(RouteConfig route)
    {
        foreach (var key in new[] { RouteMetadata.Siblings, RouteMetadata.Shield, RouteMetadata.Failover })
        {
            if (RouteMetadata.Read(route.Metadata, key, null) is not { } other)
                continue;
            var path = $"ReverseProxy:Routes:{route.RouteId}:Metadata:{key}";
            if (!clusters.ContainsKey(other))
                yield return $"{path}: no cluster is named '{other}'{NearestName.Hint(other, clusters.Keys)}";
            else if (string.Equals(other, route.ClusterId, StringComparison.OrdinalIgnoreCase))
                yield return $"{path}: '{other}' is the route's cluster itself";
            else if (key != RouteMetadata.Failover && !(cache.Clusters.TryGetValue(other, out var options) && options.Peers))
                yield return $"{path}: '{other}' is not a cluster of nodes; say so with {Path}:{other}:Peers: true";
        }
    }

    private bool IsThisNode(string name, DestinationConfig destination) =>
        (cache.Peering.Key is not null && string.Equals(name, cache.Peering.Id, StringComparison.OrdinalIgnoreCase))
        || (Uri.TryCreate(destination.Address, UriKind.Absolute, out var address) && listen.Any(one => one.Port == address.Port && ((one.IsLoopback && address.IsLoopback) || string.Equals(one.Host, address.Host, StringComparison.OrdinalIgnoreCase))));

    private static bool SaysDefault(ProbeOptions options)
    {
        var defaults = new ProbeOptions();
        return options.Body is null && options.Healthy == defaults.Healthy && options.Unhealthy == defaults.Unhealthy && options.Statuses.SequenceEqual(defaults.Statuses);
    }
}

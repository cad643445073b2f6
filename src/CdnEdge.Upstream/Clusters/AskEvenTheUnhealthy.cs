using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;

namespace CdnEdge.Upstream.Clusters;

/// <summary>
/// YARP refuses a request where a cluster has no healthy destination, before anybody sees it. Here it's the way that decides, which may
/// lead to another cluster: so all are available to YARP where none is healthy.
/// </summary>
internal sealed class AskEvenTheUnhealthy : IProxyConfigFilter
{
    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => ValueTask.FromResult(cluster with
    {
        HealthCheck = (cluster.HealthCheck ?? new HealthCheckConfig()) with { AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyOrPanic },
    });

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel) => ValueTask.FromResult(route);
}

using CdnEdge.Caching;
using CdnEdge.Delivery.Admission;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery.Routing;

/// <summary>A YARP route as the cache sees it: its policy, and how to ask upstream.</summary>
internal sealed class CachedRoute(Endpoint endpoint, RouteModel model, PolicyRegistry policies)
{
    private readonly string? _policyName = model.Config.Metadata is { } metadata && metadata.TryGetValue(CdnCacheMetadata.Policy, out var name) ? name : null;

    /// <summary>Its own transforms say what becomes of X-Forwarded-* and Forwarded.</summary>
    internal bool HasOwnForwarders { get; } =
        model.Config.Transforms?.Any(static transform => transform.ContainsKey("X-Forwarded") || transform.ContainsKey("Forwarded")) == true;

    private CachePolicy? _policy;
    private int _generation;

    /// <summary>YARP's own endpoint, whose metadata its pipeline reads.</summary>
    internal Endpoint Endpoint { get; } = endpoint;

    internal RouteModel Model { get; } = model;

    /// <summary>YARP's pipeline: load balancing, transforms, forwarding.</summary>
    internal RequestDelegate Forward { get; } = endpoint.RequestDelegate ?? throw new ArgumentException("The endpoint has no delegate.", nameof(endpoint));

    internal FetchPriority Priority { get; } =
        model.Config.Metadata is { } said && said.TryGetValue(CdnCacheMetadata.Priority, out var priority) && Enum.TryParse<FetchPriority>(priority, ignoreCase: true, out var known)
            ? known
            : FetchPriority.Normal;

    internal CachePolicy Policy
    {
        get
        {
            var generation = policies.Generation;
            if (_policy is { } policy && _generation == generation)
            {
                return policy;
            }

            _policy = policies.Find(_policyName);
            _generation = generation;
            return _policy;
        }
    }
}

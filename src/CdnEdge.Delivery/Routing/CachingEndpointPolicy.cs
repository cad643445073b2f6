using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery.Routing;

/// <summary>
/// Puts the cache in front of YARP's endpoints: routing, authorization and whatever else the application runs before
/// its endpoints sees them unchanged, and the cache runs where YARP's pipeline would.
/// </summary>
internal sealed class CachingEndpointPolicy(CacheEndpoint cache, PolicyRegistry policies) : MatcherPolicy, IEndpointSelectorPolicy
{
    // By endpoint: YARP makes new ones when a route changes, and the old go with it.
    private readonly ConditionalWeakTable<Endpoint, Endpoint> _cached = [];

    // The one looked up last: most requests of a site match the same route, and a weak table's look-up costs more than
    // all the rest of this policy.
    private volatile Pair? _last;

    /// <summary>After every policy that may still reject a candidate.</summary>
    public override int Order => int.MaxValue - 1;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Any(endpoint => endpoint.Metadata.GetMetadata<RouteModel>() is not null);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (!candidates.IsValidCandidate(i))
            {
                continue;
            }

            ref var candidate = ref candidates[i];
            if (candidate.Endpoint is { } endpoint && ReplacementOf(endpoint) is { } replacement)
            {
                candidates.ReplaceEndpoint(i, replacement, candidate.Values);
            }
        }

        return Task.CompletedTask;
    }

    private Endpoint? ReplacementOf(Endpoint endpoint)
    {
        if (_last is { } last && ReferenceEquals(last.Endpoint, endpoint))
        {
            return last.Replacement;
        }

        if (_cached.TryGetValue(endpoint, out var replacement))
        {
            _last = new Pair(endpoint, replacement);
            return replacement;
        }

        if (endpoint.Metadata.GetMetadata<RouteModel>() is not { } model || endpoint.RequestDelegate is null)
        {
            return null;
        }

        var route = new CachedRoute(endpoint, model, policies);
        RequestDelegate invoke = context => cache.InvokeAsync(context, route);
        replacement = endpoint is RouteEndpoint routed
            ? new RouteEndpoint(invoke, routed.RoutePattern, routed.Order, routed.Metadata, routed.DisplayName)
            : new Endpoint(invoke, endpoint.Metadata, endpoint.DisplayName);
        _cached.AddOrUpdate(endpoint, replacement);
        return replacement;
    }

    private sealed record Pair(Endpoint Endpoint, Endpoint Replacement);
}

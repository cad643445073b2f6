using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery;

/// <summary>
/// Chooses the cache policy of a request by code. Register as a singleton; the first that answers wins, before the
/// route's metadata.
/// </summary>
public interface ICachePolicySelector
{
    /// <summary>The policy of this request, or null to leave the choice to others.</summary>
    /// <param name="context">The client's request.</param>
    /// <param name="route">The YARP route that it matched.</param>
    CachePolicy? SelectPolicy(HttpContext context, RouteModel route);
}

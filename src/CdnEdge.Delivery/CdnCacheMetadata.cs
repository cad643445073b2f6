namespace CdnEdge.Delivery;

/// <summary>Keys of a YARP route's <c>Metadata</c> that the cache reads.</summary>
public static class CdnCacheMetadata
{
    /// <summary>Names the route's cache policy; without it the policy <c>default</c> holds.</summary>
    public const string Policy = "CdnEdge.CachePolicy";

    /// <summary>
    /// How important the route's misses are where not all of them can be served: <c>Low</c>, <c>Normal</c> (which is what a route is that
    /// says nothing) or <c>High</c>. Hits are always served.
    /// </summary>
    public const string Priority = "CdnEdge.Priority";
}

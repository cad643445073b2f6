namespace CdnEdge.Delivery;

/// <summary>Keys of a YARP route's <c>Metadata</c> that the cache reads.</summary>
public static class CdnCacheMetadata
{
    /// <summary>Names the route's cache policy; without it the policy <c>default</c> holds.</summary>
    public const string Policy = "CdnEdge.CachePolicy";
}

namespace CdnEdge.Delivery;

/// <summary>
/// What a YARP route may say to the cache in its <c>Metadata</c>. The names have no colon: .NET configuration reads one
/// as a step into a section, so such a key would never arrive from a file.
/// </summary>
public static class CdnCacheMetadata
{
    /// <summary>Names the cache policy of the route (<c>CdnEdge:Policies:NAME</c>); without it, <c>default</c> applies.</summary>
    public const string Policy = "CdnEdge.CachePolicy";
}

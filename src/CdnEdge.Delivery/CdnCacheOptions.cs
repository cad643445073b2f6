using CdnEdge.Caching;
using CdnEdge.Storage;
using CdnEdge.Upstream;

namespace CdnEdge.Delivery;

/// <summary>Options of the cache; bound from the section <c>CdnEdge</c> by the host, or set in code.</summary>
public sealed class CdnCacheOptions
{
    /// <summary>The name of this cache in Cache-Status, Via, CDN-Loop and Proxy-Status: a token (RFC 9110 §5.6.2).</summary>
    public string Name { get; set; } = "cdnedge";

    /// <summary>The memory tier.</summary>
    public MemoryOptions Memory { get; set; } = new();

    /// <summary>The Redis tier behind memory, which the nodes of a PoP share. Read when the application starts.</summary>
    public RedisOptions Redis { get; set; } = new();

    /// <summary>
    /// Policies by name; <c>default</c> is the policy of routes that choose none. A route chooses with the metadata
    /// <see cref="CdnCacheMetadata.Policy"/>.
    /// </summary>
    public IDictionary<string, CachePolicy> Policies { get; set; } = new Dictionary<string, CachePolicy>(StringComparer.OrdinalIgnoreCase);

    /// <summary>What is told to and believed from other proxies. Read when the application starts.</summary>
    public ForwardingOptions Forwarding { get; set; } = new();

    /// <summary>What is done with YARP's clusters beyond forwarding to them, by the cluster's id.</summary>
    public IDictionary<string, ClusterOptions> Clusters { get; set; } = new Dictionary<string, ClusterOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How the nodes of a CDN know each other. Read when the application starts.</summary>
    public PeeringOptions Peering { get; set; } = new();
}

/// <summary>The memory tier's bounds.</summary>
public sealed class MemoryOptions
{
    /// <summary>Bound in bytes. Null: a quarter of the memory that the process may use (container limits included).</summary>
    public long? MaxBytes { get; set; }
}

namespace CdnEdge.Upstream;

/// <summary>What this room needs to know of the node's options.</summary>
internal sealed class UpstreamOptions
{
    /// <summary>The name of this node in Via, CDN-Loop and Proxy-Status: a token (RFC 9110 §5.6.2).</summary>
    public required string Name { get; init; }

    /// <summary>What is told to and believed from other proxies.</summary>
    public required ForwardingOptions Forwarding { get; init; }

    /// <summary>What is done with clusters, by their ids, as the options have it now.</summary>
    public Func<IDictionary<string, ClusterOptions>> Clusters { get; init; } = static () => new Dictionary<string, ClusterOptions>();

    /// <summary>How the nodes of a CDN know each other.</summary>
    public PeeringOptions Peering { get; init; } = new();
}

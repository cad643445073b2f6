using CdnEdge.Upstream.Health;

namespace CdnEdge.Upstream.Ways;

/// <summary>What a cluster is on the way of a request.</summary>
internal enum LegKind
{
    /// <summary>Nodes that are asked for what they have stored, and nothing else.</summary>
    Siblings,

    /// <summary>Nodes that collect the misses of others.</summary>
    Shield,

    /// <summary>Servers of the site.</summary>
    Origin,
}

/// <summary>A part of the way that a request takes from this node to whoever answers it: one cluster.</summary>
internal readonly record struct Leg(UpstreamCluster Cluster, LegKind Kind)
{
    /// <summary>Its destinations are nodes of this CDN.</summary>
    internal bool IsOfPeers => Kind != LegKind.Origin || Cluster.Options.Peers;
}

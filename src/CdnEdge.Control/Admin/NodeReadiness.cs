namespace CdnEdge.Control;

/// <summary>Whether this node wants traffic, for whoever sends it some: load balancers, and other nodes.</summary>
internal static class NodeReadiness
{
    /// <summary>Why not; null: it does.</summary>
    internal static string? WhyNot(IAdminNode node, DrainState drain, PurgePropagation? purges) =>
        node.IsStopping ? "stopping"
        : drain.IsDraining ? "draining"
        : purges is { IsStarting: true } ? "reading the log of purges"
        : null;
}

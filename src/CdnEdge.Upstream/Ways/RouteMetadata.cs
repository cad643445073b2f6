namespace CdnEdge.Upstream.Ways;

/// <summary>What a route says of its way, in its metadata: each the id of a cluster, or <see cref="None"/>.</summary>
internal static class RouteMetadata
{
    internal const string Siblings = "CdnEdge.Siblings";

    internal const string Shield = "CdnEdge.Shield";

    internal const string Failover = "CdnEdge.Failover";

    /// <summary>None, whatever the cluster says.</summary>
    internal const string None = "none";

    /// <summary>What the route says, else the cluster; null: none.</summary>
    internal static string? Read(IReadOnlyDictionary<string, string>? metadata, string key, string? ofCluster)
    {
        var text = metadata is not null && metadata.TryGetValue(key, out var said) ? said : ofCluster;
        return string.IsNullOrEmpty(text) || string.Equals(text, None, StringComparison.OrdinalIgnoreCase) ? null : text;
    }
}

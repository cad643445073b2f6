namespace CdnEdge.Security;

/// <summary>The sites by the configuration that is in force.</summary>
internal sealed class SitesInForce(SiteTable first)
{
    private SiteTable _table = first;

    internal SiteTable Table => Volatile.Read(ref _table);

    /// <summary>Puts others in force.</summary>
    internal void Apply(SiteTable sites) => Volatile.Write(ref _table, sites);
}

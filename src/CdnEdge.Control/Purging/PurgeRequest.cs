namespace CdnEdge.Control;

/// <summary>What an operator wants purged. Checked already: see the admin API for what may stand here.</summary>
internal sealed record PurgeRequest
{
    /// <summary>Absolute http or https URLs; all variants of each.</summary>
    public IReadOnlyList<string> Urls { get; set; } = [];

    /// <summary>Tags (surrogate keys), of whichever site; upper and lower case differ.</summary>
    public IReadOnlyList<string> Tags { get; set; } = [];

    /// <summary>Absolute http or https URLs without query: the path and all that is below it, by whole segments.</summary>
    public IReadOnlyList<string> Prefixes { get; set; } = [];

    /// <summary>Hosts, with the port where it isn't the scheme's default.</summary>
    public IReadOnlyList<string> Sites { get; set; } = [];

    /// <summary>Every object of every site.</summary>
    public bool Everything { get; set; }

    /// <summary>Stale rather than gone: still usable under the stale rules, and revalidated.</summary>
    public bool Soft { get; set; }
}

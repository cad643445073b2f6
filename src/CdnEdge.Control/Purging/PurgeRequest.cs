namespace CdnEdge.Control;

/// <summary>What an operator wants purged. Checked already: see the admin API for what may stand here.</summary>
internal sealed record PurgeRequest
{
    /// <summary>Absolute http or https URLs; all variants of each.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>Tags (surrogate keys), of whichever site; upper and lower case differ.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Absolute http or https URLs without query: the path and all that is below it, by whole segments.</summary>
    public IReadOnlyList<string> Prefixes { get; init; } = [];

    /// <summary>Hosts, with the port where it isn't the scheme's default.</summary>
    public IReadOnlyList<string> Sites { get; init; } = [];

    /// <summary>Every object of every site.</summary>
    public bool Everything { get; init; }

    /// <summary>Stale rather than gone: still usable under the stale rules, and revalidated.</summary>
    public bool Soft { get; init; }
}

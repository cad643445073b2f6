using System.ComponentModel;

namespace CdnEdge.Control;

/// <summary>The body of <c>POST /purge</c>, as it comes.</summary>
internal sealed class PurgeBody
{
    /// <summary>Most items of one call, all kinds together.</summary>
    internal const int MaxItems = 1000;

    internal static readonly string[] Members = ["urls", "tags", "prefixes", "sites", "everything", "soft"];

    [Description("Absolute URLs; all variants of each. The query counts as the cache policy has it.")]
    public IReadOnlyList<string?>? Urls { get; init; }

    [Description("Tags (Surrogate-Key, Cache-Tag), of whichever site. Upper and lower case differ.")]
    public IReadOnlyList<string?>? Tags { get; init; }

    [Description("Absolute URLs without query: the path and all below it, by whole segments.")]
    public IReadOnlyList<string?>? Prefixes { get; init; }

    [Description("Hosts, with the port where it isn't the scheme's: example.org, example.org:8080.")]
    public IReadOnlyList<string?>? Sites { get; init; }

    [Description("Every object of every site.")]
    public bool Everything { get; init; }

    [Description("Stale rather than gone: still usable under the stale rules, and revalidated.")]
    public bool Soft { get; init; }
}

using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// The names by which a stored response can be purged beside its URL: tags (<c>Surrogate-Key</c>, <c>Cache-Tag</c>) and
/// groups (<c>Cache-Groups</c>, RFC 9875).
/// </summary>
internal sealed class SurrogateTags
{
    /// <summary>More than an origin can mean; those that follow are ignored.</summary>
    internal const int MaxCount = 1000;

    /// <summary>A longer name (in UTF-16 units) is ignored: it could not be named in a purge either.</summary>
    internal const int MaxLength = 1024;

    private SurrogateTags(string[] tags, string[] groups)
    {
        Tags = tags;
        Groups = groups;
    }

    /// <summary>Neither tags nor groups.</summary>
    internal static SurrogateTags None { get; } = new([], []);

    /// <summary>Tags, each once, in the order in which they came.</summary>
    internal string[] Tags { get; }

    /// <summary>Groups, each once, in the order in which they came.</summary>
    internal string[] Groups { get; }

    /// <summary>Managed memory taken, in bytes; 0 for <see cref="None"/>.</summary>
    internal int ManagedBytes => ReferenceEquals(this, None) ? 0 : ManagedSize.OfTags(Tags) + ManagedSize.OfTags(Groups) + ManagedSize.Tags;

    /// <summary>Those of a response.</summary>
    internal static SurrogateTags Of(IHeaderDictionary headers, CachePolicy policy)
    {
        HashSet<string>? tags = null;
        for (var i = 0; i < policy.TagFields.Count; i++)
        {
            if (headers.TryGetValue(policy.TagFields[i], out var lines) && lines.Count > 0)
            {
                foreach (var line in lines)
                    AddTags(line, SeparatorOf(policy.TagFields[i]), tags ??= new(StringComparer.Ordinal));
            }
        }

        var groups = CacheGroups.Parse(headers["Cache-Groups"]);
        return tags is not { Count: > 0 } && groups.Count == 0 ? None : new SurrogateTags([.. tags ?? []], [.. groups]);
    }

    /// <summary>As stored elsewhere before.</summary>
    internal static SurrogateTags Of(string[] tags, string[] groups) => tags.Length + groups.Length == 0 ? None : new SurrogateTags(tags, groups);

    /// <summary>
    /// After a validation (RFC 9111 §3.2): what the newer response names replaces what the stored one did, kind by kind.
    /// </summary>
    internal SurrogateTags FreshenedBy(IHeaderDictionary newer, CachePolicy policy)
    {
        var came = Of(newer, policy);
        if (ReferenceEquals(came, None))
            return this;
        return new SurrogateTags(came.Tags.Length > 0 ? came.Tags : Tags, came.Groups.Length > 0 ? came.Groups : Groups);
    }

    /// <summary>Surrogate-Key is a list by blanks, as Fastly made it; the others are lists by commas, as Cache-Tag.</summary>
    private static char SeparatorOf(string field) => field.Equals("Surrogate-Key", StringComparison.OrdinalIgnoreCase) ? ' ' : ',';

    private static void AddTags(string? line, char separator, HashSet<string> tags)
    {
        foreach (var range in line.AsSpan().Split(separator))
        {
            var tag = line.AsSpan(range).Trim(" \t");
            if (tag.IsEmpty || tag.Length > MaxLength || tags.Count >= MaxCount)
                continue;
            tags.Add(tag.ToString());
        }
    }
}

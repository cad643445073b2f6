using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The fields of RFC 9875: <c>Cache-Groups</c> and <c>Cache-Group-Invalidation</c>, lists of strings.</summary>
internal static class CacheGroups
{
    /// <summary>In a response to an unsafe method: groups whose stored responses the change has outdated (§3).</summary>
    internal const string InvalidationField = "Cache-Group-Invalidation";

    /// <summary>RFC 9875 §2: at least 128 groups are to be supported. Those that follow are ignored.</summary>
    internal const int MaxCount = 128;

    /// <summary>RFC 9875 §2: names of at least 128 characters are to be supported; a longer one is ignored.</summary>
    internal const int MaxLength = 1024;

    /// <summary>The groups' names, each once. None where the field is no list of strings (RFC 9651 §4.2: ignored as a whole).</summary>
    internal static IReadOnlyList<string> Parse(StringValues lines)
    {
        if (lines.Count == 0 || !StructuredField.TryParseList(lines, out var members))
            return [];
        var names = new List<string>(members.Count);
        foreach (var member in members)
        {
            if (member.Kind != SfKind.String)
                return [];
            if (member.Text is { Length: > 0 and <= MaxLength } name && names.Count < MaxCount && !names.Contains(name, StringComparer.Ordinal))
                names.Add(name);
        }

        return names;
    }
}

using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The value of If-Match and If-None-Match: <c>*</c> or a list of entity-tags, on any number of lines.</summary>
internal static class EntityTagList
{
    /// <summary>True for a field that is <c>*</c> and nothing else.</summary>
    internal static bool IsAny(StringValues lines) => lines.Count == 1 && lines[0].AsSpan().Trim(" \t") is "*";

    /// <summary>
    /// Whether <paramref name="tag"/> is listed. Commas inside quotes belong to the tag (RFC 9110 §8.8.3), members that
    /// are no entity-tag match nothing. Allocates nothing.
    /// </summary>
    /// <param name="strong">Strong comparison (If-Match) or weak (If-None-Match).</param>
    internal static bool Contains(StringValues lines, in EntityTag tag, bool strong)
    {
        foreach (var line in lines)
        {
            ReadOnlySpan<char> rest = line;
            while (TryTakeMember(ref rest, out var member))
            {
                if (strong ? tag.StrongEquals(member) : tag.WeakEquals(member))
                    return true;
            }
        }

        return false;
    }

    /// <summary>Whether <paramref name="tag"/> in a coding is listed, by weak comparison. Allocates nothing.</summary>
    internal static bool ContainsInCoding(StringValues lines, in EntityTag tag, string coding)
    {
        foreach (var line in lines)
        {
            ReadOnlySpan<char> rest = line;
            while (TryTakeMember(ref rest, out var member))
            {
                if (tag.WeakEqualsInCoding(member, coding))
                    return true;
            }
        }

        return false;
    }

    /// <summary>The members, from all lines.</summary>
    internal static List<string> Members(StringValues lines)
    {
        var members = new List<string>();
        foreach (var line in lines)
        {
            ReadOnlySpan<char> rest = line;
            while (TryTakeMember(ref rest, out var member))
                members.Add(member.ToString());
        }

        return members;
    }

    private static bool TryTakeMember(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> member)
    {
        rest = rest.TrimStart(" \t,");
        if (rest.IsEmpty)
        {
            member = default;
            return false;
        }

        var end = 0;
        var inQuotes = false;
        while (end < rest.Length && (inQuotes || rest[end] != ','))
        {
            if (rest[end] == '"')
                inQuotes = !inQuotes;
            end++;
        }

        member = rest[..end].TrimEnd(" \t");
        rest = rest[end..];
        return true;
    }
}

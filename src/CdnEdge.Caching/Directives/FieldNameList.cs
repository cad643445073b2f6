using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>Comma-separated lists of field names: Connection, Vary, and the arguments of no-cache and private.</summary>
internal static class FieldNameList
{
    /// <summary>True when every member is a token and there is at least one.</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, List<string> names)
    {
        var start = names.Count;
        foreach (var range in text.Split(','))
        {
            var name = text[range].Trim(" \t");
            if (name.IsEmpty)
                continue;
            if (!IsToken(name))
            {
                names.RemoveRange(start, names.Count - start);
                return false;
            }

            names.Add(WellKnownFields.Intern(name.ToString()));
        }

        return names.Count > start;
    }

    /// <summary>Whether <paramref name="name"/> is a member of the list that the lines make together.</summary>
    internal static bool HasMember(StringValues lines, ReadOnlySpan<char> name)
    {
        foreach (var line in lines)
        {
            var text = line.AsSpan();
            foreach (var range in text.Split(','))
            {
                if (text[range].Trim(" \t").Equals(name, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }

        return false;
    }

    /// <summary>Whether the list has the name, ignoring case.</summary>
    internal static bool Contains(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i].Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary>token, RFC 9110 §5.6.2.</summary>
    internal static bool IsToken(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
                return false;
        }

        return true;
    }
}

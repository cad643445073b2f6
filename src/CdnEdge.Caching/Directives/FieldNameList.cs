namespace CdnEdge.Caching;

/// <summary>Comma-separated lists of field names: Connection, and the arguments of no-cache and private.</summary>
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
            if (!Token.IsToken(name))
            {
                names.RemoveRange(start, names.Count - start);
                return false;
            }

            names.Add(WellKnownFields.Intern(name.ToString()));
        }

        return names.Count > start;
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
}

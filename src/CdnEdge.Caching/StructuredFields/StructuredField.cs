using System.Text;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>Structured fields (RFC 9651) as whole header fields, and the few that are written.</summary>
internal static class StructuredField
{
    /// <summary>The dictionary that the lines make together; false where it's no valid one.</summary>
    internal static bool TryParseDictionary(StringValues lines, out Dictionary<string, SfItem> members)
    {
        members = [];
        return new SfParser(Combine(lines)).TryDictionary(members);
    }

    /// <summary>The list that the lines make together; false where it's no valid one.</summary>
    internal static bool TryParseList(StringValues lines, out List<SfItem> members)
    {
        members = [];
        return new SfParser(Combine(lines)).TryList(members);
    }

    internal static bool TryParseItem(StringValues lines, out SfItem item) => new SfParser(Combine(lines)).TryItem(out item);

    /// <summary>Writes a Token where the text is one (RFC 9651 §3.3.4), else a String; what neither may contain becomes <c>?</c>.</summary>
    internal static void AppendTokenOrString(StringBuilder target, string text)
    {
        if (IsToken(text))
        {
            target.Append(text);
            return;
        }

        target.Append('"');
        foreach (var c in text)
        {
            if (c is '"' or '\\')
                target.Append('\\');
            target.Append(c is < ' ' or > '~' ? '?' : c);
        }

        target.Append('"');
    }

    private static bool IsToken(string text)
    {
        if (text.Length == 0 || (!char.IsAsciiLetter(text[0]) && text[0] != '*'))
            return false;
        foreach (var c in text)
        {
            if (c is not (':' or '/') && !Token.IsToken([c]))
                return false;
        }

        return true;
    }

    /// <summary>Lines are joined by commas before parsing (RFC 9651 §4.2); empty ones add nothing.</summary>
    private static string Combine(StringValues lines)
    {
        if (lines.Count == 1)
            return lines[0] ?? "";
        return string.Join(", ", lines.ToArray().Where(line => !string.IsNullOrWhiteSpace(line)));
    }
}

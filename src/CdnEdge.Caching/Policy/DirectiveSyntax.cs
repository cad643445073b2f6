namespace CdnEdge.Caching;

/// <summary>
/// The syntax of Cache-Control, told strictly: what an operator writes is refused with a reason where the same from an
/// origin would be put up with (RFC 9111 §4.2.1).
/// </summary>
internal static class DirectiveSyntax
{
    private static readonly string[] Durations = ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"];

    /// <summary>At least one directive, each a token, or a token with a token or quoted string; durations whole seconds.</summary>
    internal static bool IsValid(ReadOnlySpan<char> text)
    {
        var count = 0;
        text = text.Trim(" \t");
        while (!text.IsEmpty)
        {
            var end = EndOfMember(text);
            var member = text[..end].Trim(" \t");
            if (!IsDirective(member))
                return false;

            count++;
            if (end == text.Length)
                break;
            text = text[(end + 1)..].TrimStart(" \t");
            if (text.IsEmpty)
                return false; // ends in a comma
        }

        return count != 0;
    }

    private static bool IsDirective(ReadOnlySpan<char> member)
    {
        var equals = member.IndexOf('=');
        var name = equals < 0 ? member : member[..equals];
        if (!Token.IsToken(name))
            return false;

        foreach (var duration in Durations)
        {
            if (name.Equals(duration, StringComparison.OrdinalIgnoreCase))
                return equals >= 0 && equals + 1 < member.Length && !member[(equals + 1)..].ContainsAnyExceptInRange('0', '9');
        }

        return equals < 0 || Token.IsToken(member[(equals + 1)..]) || IsQuoted(member[(equals + 1)..]);
    }

    private static bool IsQuoted(ReadOnlySpan<char> value) => value is ['"', .. _] && value.Length > 1 && QuotedString.ClosingQuote(value) == value.Length - 1;

    private static int EndOfMember(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == ',')
                return i;
            if (text[i] == '"')
            {
                var closing = QuotedString.ClosingQuote(text[i..]);
                if (closing < 0)
                    return text.Length;
                i += closing;
            }
        }

        return text.Length;
    }
}

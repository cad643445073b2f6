using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>Fields brought to one spelling in ways that RFC 9111 §4.1 allows for any field. Nothing here allocates.</summary>
internal static class FieldNormalisation
{
    private const string Whitespace = " \t";

    /// <summary>
    /// Combines the lines of a list-like field by commas and drops the whitespace around commas and at the ends; quoted
    /// strings are left alone. Idempotent.
    /// </summary>
    internal static void Append(StringValues lines, ref CharBuffer buffer)
    {
        var (quoted, escaped) = (false, false);
        var start = buffer.Length;
        var keep = start;
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0)
                AppendChar(',', start, ref buffer, ref keep, ref quoted, ref escaped);
            foreach (var c in lines[i].AsSpan())
                AppendChar(c, start, ref buffer, ref keep, ref quoted, ref escaped);
        }

        buffer.TruncateTo(keep);
    }

    /// <summary>The whole Cookie field: pairs in their order, from all lines (RFC 9113 §8.2.3), joined by <c>;</c>.</summary>
    internal static void AppendCookies(StringValues lines, ref CharBuffer buffer)
    {
        foreach (var line in lines)
        {
            foreach (var range in line.AsSpan().Split(';'))
            {
                var pair = line.AsSpan()[range].Trim(Whitespace);
                if (pair.IsEmpty)
                    continue;
                buffer.Append(pair);
                buffer.Append(';');
            }
        }
    }

    /// <summary>The value of one cookie (of several by its name, all of them); false where there is none.</summary>
    internal static bool TryAppendCookie(StringValues lines, ReadOnlySpan<char> name, ref CharBuffer buffer)
    {
        var found = false;
        foreach (var line in lines)
        {
            foreach (var range in line.AsSpan().Split(';'))
            {
                var pair = line.AsSpan()[range].Trim(Whitespace);
                var equals = pair.IndexOf('=');
                if (equals < 0 || !pair[..equals].TrimEnd(Whitespace).SequenceEqual(name))
                    continue;

                if (found)
                    buffer.Append(';');
                buffer.Append(pair[(equals + 1)..].TrimStart(Whitespace));
                found = true;
            }
        }

        return found;
    }

    /// <param name="start">Where in the buffer the field begins.</param>
    /// <param name="keep">Length without the whitespace that stands at the end and may turn out to precede a comma.</param>
    private static void AppendChar(char c, int start, ref CharBuffer buffer, ref int keep, ref bool quoted, ref bool escaped)
    {
        if (quoted)
        {
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
        }
        else if (c is ' ' or '\t')
        {
            // At the start, or after a comma, there's nothing yet that it could separate.
            if (buffer.Length != start && buffer.Text[^1] != ',')
                buffer.Append(c);
            return;
        }
        else if (c == ',')
        {
            buffer.TruncateTo(keep);
        }
        else
        {
            quoted = c == '"';
        }

        buffer.Append(c);
        keep = buffer.Length;
    }
}

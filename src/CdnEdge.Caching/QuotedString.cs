namespace CdnEdge.Caching;

/// <summary>Quoted strings (RFC 9110 §5.6.4).</summary>
internal static class QuotedString
{
    /// <summary>Index of the quotation mark that closes the one at the start; -1 where there is none.</summary>
    internal static int ClosingQuote(ReadOnlySpan<char> text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                return i;
        }

        return -1;
    }
}

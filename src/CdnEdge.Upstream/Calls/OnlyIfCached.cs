using System.Net.Http.Headers;
using System.Text;
using CdnEdge.Caching;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Upstream.Calls;

/// <summary>The request directive <c>only-if-cached</c> (RFC 9111 §5.2.1.7), which is meant for the first cache that reads it.</summary>
internal static class OnlyIfCached
{
    private const string Field = "Cache-Control";

    /// <summary>
    /// Removes it however it's spelt, with an argument or behind a stray quotation mark: the next node reads it as generously as this one,
    /// and would answer 504.
    /// </summary>
    internal static void RemoveFrom(HttpRequestHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(Field, out var values))
            return;
        var others = new StringBuilder();
        var isThere = false;
        var reader = new CacheControlReader(new StringValues([.. values]));
        while (reader.MoveNext())
        {
            if (reader.Is("only-if-cached"))
                isThere = true;
            else
                Append(others, reader);
        }

        if (!isThere)
            return;
        headers.Remove(Field);
        if (others.Length > 0)
            headers.TryAddWithoutValidation(Field, others.ToString());
    }

    private static void Append(StringBuilder others, CacheControlReader directive)
    {
        if (others.Length > 0)
            others.Append(", ");
        others.Append(directive.Name);

        // What can't be read becomes an argument that can't be either, lest it quote what follows.
        if (directive.IsMalformed)
            others.Append("=\"\"");
        else if (directive.HasArgument)
            others.Append('=').Append(Argument(directive.Argument));
    }

    // The reader leaves the quotation marks out. An argument that they don't fit never had them: a\ would quote its own end.
    private static string Argument(ReadOnlySpan<char> text)
    {
        var quoted = $"\"{text}\"";
        return Token.IsToken(text) || QuotedString.ClosingQuote(quoted) != quoted.Length - 1 ? text.ToString() : quoted;
    }
}

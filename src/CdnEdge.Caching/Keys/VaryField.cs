using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The Vary field (RFC 9110 §12.5.5).</summary>
internal static class VaryField
{
    /// <summary>
    /// The request fields that it names, on any number of lines, each once and by name. A <c>*</c> anywhere means
    /// <c>*</c>, and so does what is no field name: nobody can tell what it would have the response depend on.
    /// </summary>
    internal static SortedSet<SelectorName> Parse(StringValues lines, out bool isStar)
    {
        var names = new SortedSet<SelectorName>();
        isStar = false;
        foreach (var line in lines)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var name = line.AsSpan()[range].Trim(" \t");
                if (name.IsEmpty)
                    continue;
                if (name is "*" || !Token.IsToken(name))
                    isStar = true;
                else
                    names.Add(SelectorName.OfHeader(name));
            }
        }

        return names;
    }
}

using Microsoft.Extensions.Primitives;

namespace CdnEdge.Upstream.Loops;

/// <summary>List-valued fields (RFC 9110 §5.6.1).</summary>
internal static class FieldList
{
    /// <summary>The field's lines as one, with an element more at its end.</summary>
    public static string Append(StringValues lines, string element)
    {
        if (lines.Count == 0) return element;

        var before = lines.Count == 1
            ? lines[0]
            : string.Join(", ", lines.Where(static line => !string.IsNullOrWhiteSpace(line)));
        return string.IsNullOrWhiteSpace(before) ? element : $"{before}, {element}";
    }
}

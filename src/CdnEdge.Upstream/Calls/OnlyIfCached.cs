using System.Net.Http.Headers;

namespace CdnEdge.Upstream.Calls;

/// <summary>The request directive <c>only-if-cached</c> (RFC 9111 §5.2.1.7), which is meant for the first cache that reads it.</summary>
internal static class OnlyIfCached
{
    private const string Field = "Cache-Control";

    internal static void RemoveFrom(HttpRequestHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(Field, out var values))
            return;
        var directives = string.Join(',', values).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var others = directives.Where(static one => !one.Equals("only-if-cached", StringComparison.OrdinalIgnoreCase)).ToArray();
        if (others.Length == directives.Length)
            return;
        headers.Remove(Field);
        if (others.Length > 0)
            headers.TryAddWithoutValidation(Field, string.Join(", ", others));
    }
}

using Microsoft.Extensions.Primitives;

namespace CdnEdge.Security;

/// <summary>
/// The fields that the OWASP Secure Headers Project recommends, as far as they break no site that doesn't know of them: no
/// Content-Security-Policy, which only the site itself can write.
/// </summary>
internal static class RecommendedHeaders
{
    private static readonly Dictionary<string, StringValues> All = new(StringComparer.OrdinalIgnoreCase)
    {
        ["X-Content-Type-Options"] = "nosniff",
        ["X-Frame-Options"] = "SAMEORIGIN",
        ["Referrer-Policy"] = "strict-origin-when-cross-origin",
        ["X-Permitted-Cross-Domain-Policies"] = "none",
        ["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups",
    };

    /// <param name="withRecommended">With these.</param>
    /// <param name="own">The site's own, those that outweigh the others last. One without a value takes the field away.</param>
    internal static KeyValuePair<string, StringValues>[] Merge(bool withRecommended, IEnumerable<IDictionary<string, string>> own)
    {
        var merged = withRecommended ? new Dictionary<string, StringValues>(All, StringComparer.OrdinalIgnoreCase) : new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in own.SelectMany(static headers => headers))
            merged[name] = value;
        return [.. merged.Where(static field => !StringValues.IsNullOrEmpty(field.Value))];
    }
}

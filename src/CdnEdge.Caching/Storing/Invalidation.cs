using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>What a successful unsafe request invalidates (RFC 9111 §4.4).</summary>
internal static class Invalidation
{
    /// <summary>True for 2xx and 3xx answers to methods not known to be safe.</summary>
    internal static bool IsDue(string method, int status) => status is >= 200 and <= 399 && !IsSafe(method);

    /// <summary>The target, and Location and Content-Location where they have the same origin (scheme, host, port).</summary>
    internal static IReadOnlyList<Uri> Targets(Uri target, IHeaderDictionary responseHeaders)
    {
        var targets = new List<Uri>(3) { WithoutFragment(target) };
        Add(targets, target, responseHeaders.Location);
        Add(targets, target, responseHeaders.ContentLocation);
        return targets;
    }

    /// <summary>Safe by IANA's method registry; a method nobody knows isn't.</summary>
    private static bool IsSafe(string method) =>
        method is "GET" or "HEAD" or "OPTIONS" or "TRACE" or "PROPFIND" or "REPORT" or "SEARCH" or "QUERY";

    private static void Add(List<Uri> targets, Uri target, StringValues reference)
    {
        // Another origin's URL isn't this one's to invalidate: that would be a denial of service.
        if (reference is not [{ Length: > 0 } text]
            || !Uri.TryCreate(target, text, out var resolved)
            || Uri.Compare(resolved, target, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) != 0)
        {
            return;
        }

        resolved = WithoutFragment(resolved);
        if (!targets.Contains(resolved))
            targets.Add(resolved);
    }

    private static Uri WithoutFragment(Uri uri) =>
        uri.Fragment.Length == 0 ? uri : new Uri(uri.GetLeftPart(UriPartial.Query));
}

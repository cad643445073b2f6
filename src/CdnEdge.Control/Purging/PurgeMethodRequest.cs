using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Control;

/// <summary>What a PURGE asks for, in the words of the plug-ins that send it.</summary>
/// <remarks>
/// They don't look at answers much, but they count on them: what isn't understood is refused, for a 200 to it would be a page
/// that stays wrong.
/// </remarks>
internal static class PurgeMethodRequest
{
    private const string Pattern = "X-Purge-Method";
    private const string MagentoPattern = "X-Magento-Tags-Pattern";

    // Of a regular expression; a dot is left out, for it's in names of files and those who write them mean the dot.
    private static readonly SearchValues<char> Signs = SearchValues.Create("\\[](){}|^$+*?");

    /// <param name="request">A PURGE.</param>
    /// <param name="mistake">What can't be done, and what can.</param>
    /// <returns>What is to be purged, not looked through yet; null with a mistake.</returns>
    internal static PurgeBody? Read(HttpRequest request, out string? mistake)
    {
        mistake = null;
        var headers = request.Headers;
        var isSoft = headers["Fastly-Soft-Purge"] is ["1"];
        if (headers.ContainsKey(MagentoPattern))
        {
            mistake = $"{MagentoPattern}: a regular expression, by which nothing is looked for here; send the tags in Surrogate-Key or Cache-Tag";
            return null;
        }

        if (headers.ContainsKey("Surrogate-Key") || headers.ContainsKey("Cache-Tag"))
        {
            var tags = Tags(headers["Surrogate-Key"], ' ').Concat(Tags(headers["Cache-Tag"], ',')).Distinct(StringComparer.Ordinal).ToList();
            if (tags.Count > 0)
                return new PurgeBody { Tags = tags, Soft = isSoft };
            mistake = $"{(headers.ContainsKey("Surrogate-Key") ? "Surrogate-Key" : "Cache-Tag")}: no tag in it; leave the field out to purge the URL";
            return null;
        }

        var url = UrlOf(request);
        if (!TryReadPrefix(url, headers[Pattern], out var prefix, out mistake))
            return null;
        return prefix is null ? new PurgeBody { Urls = [url], Soft = isSoft } : new PurgeBody { Prefixes = [prefix], Soft = isSoft };
    }

    /// <summary>
    /// The prefix that is meant: by <c>X-Purge-Method: regex</c> (Varnish's VCLs for WordPress), or by <c>/.*</c> at the end alone;
    /// <c>/*</c> is how nginx's purge module writes the whole site. Null: the URL itself is meant.
    /// </summary>
    private static bool TryReadPrefix(string url, StringValues how, out string? prefix, out string? mistake)
    {
        (prefix, mistake) = (null, null);
        var word = how.Count == 0 ? "" : how.ToString().Trim().ToLowerInvariant();
        if (word is not ("" or "default" or "exact" or "regex"))
        {
            mistake = $"{Pattern}: '{how}' is not known; there are default, exact, and regex for a path that ends with .*";
            return false;
        }

        var path = url.IndexOf('/', Math.Min(url.Length, url.IndexOf("//", StringComparison.Ordinal) + 2));
        if (path < 0)
            return true; // PURGE *, or no URL at all: refused where URLs are
        var stem = word == "regex" ? Without(url[path..], ".*")
            : url.EndsWith("/.*", StringComparison.Ordinal) && !url.Contains('?', StringComparison.Ordinal) ? Without(url[path..], ".*")
            : url[path..] == "/*" ? "/"
            : null;
        if (stem is null)
            return true;
        if (stem.AsSpan().ContainsAny(Signs))
        {
            mistake = word == "regex"
                ? $"{Pattern}: '{url[path..]}' is a regular expression, by which nothing is looked for here; there is /path/.* for the path and all below it"
                : $"'{url[path..]}' is neither a URL nor a path and all below it, such as /path/.*";
            return false;
        }

        prefix = $"{url[..path]}{(stem.TrimEnd('/') is { Length: > 0 } below ? below : "/")}";
        return true;
    }

    private static string Without(string text, string end) => text.EndsWith(end, StringComparison.Ordinal) ? text[..^end.Length] : text;

    private static IEnumerable<string> Tags(StringValues lines, char separator) =>
        lines.SelectMany(line => line!.Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    /// <summary>As the client wrote it: escapes mean what they mean in the key of a GET for it.</summary>
    private static string UrlOf(HttpRequest request)
    {
        var target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return target.StartsWith('/') ? $"http://{request.Host.Value}{target}" : target;
    }
}

using CdnEdge.Delivery.Guard;
using CdnEdge.Tls;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security;

/// <summary>
/// Keeps other sites from showing this one's images as theirs: the browser's Referer (RFC 9110 §10.1.3) names the page. It stops pages, not people:
/// who writes the request himself writes the field.
/// </summary>
internal sealed class HotLinkRule(HotLinkOptions options)
{
    private readonly ProtectedPaths _paths = new(options.Paths, options.Endings);
    private readonly string[] _allowed = [.. options.Allow.Select(AsciiHost.Of)];

    internal GuardRefusal? Refuse(HttpContext context)
    {
        var request = context.Request;
        return !_paths.Cover(request.Path) || IsAllowed(request)
            ? null
            : GuardRefusal.Of(request, StatusCodes.Status403Forbidden, "Other sites may link to this, but not show it as theirs.");
    }

    private bool IsAllowed(HttpRequest request)
    {
        var referer = request.Headers.Referer.ToString();
        if (referer.Length == 0)
            return options.AllowNoReferer;
        return Uri.TryCreate(referer, UriKind.Absolute, out var page)
            && SiteTable.NameOf(page.IdnHost) is var host
            && (host == SiteTable.NameOf(request.Host.Value) || Array.Exists(_allowed, site => SiteTable.Fits(site, host)));
    }
}

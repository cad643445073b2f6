using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace CdnEdge.Delivery;

/// <summary>A request's target as an absolute URI.</summary>
internal static class RequestTarget
{
    // A request of HTTP/1.0 may name no host; this one is nobody's (RFC 2606).
    private static readonly HostString NoHost = new("host.invalid");

    /// <exception cref="UriFormatException">The host can't be one; see <see cref="HasValidHost"/>.</exception>
    internal static Uri Of(HttpRequest request) =>
        new(UriHelper.BuildAbsolute(
            request.Scheme, request.Host.HasValue ? request.Host : NoHost, default, EscapedPath.PathOf(request), request.QueryString));

    /// <summary>Whether Host can be a URI's: Kestrel looks at its characters only, and lets <c>a..b</c> or <c>a:99999</c> pass.</summary>
    internal static bool HasValidHost(HttpRequest request) =>
        !request.Host.HasValue || Uri.TryCreate($"{request.Scheme}://{request.Host.Value}/", UriKind.Absolute, out _);
}

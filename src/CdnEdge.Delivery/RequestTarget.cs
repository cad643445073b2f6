using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace CdnEdge.Delivery;

/// <summary>A request's target as an absolute URI, and back to a key.</summary>
internal static class RequestTarget
{
    internal static Uri Of(HttpRequest request) =>
        new(UriHelper.BuildAbsolute(request.Scheme, request.Host, request.PathBase, request.Path, request.QueryString));

    /// <summary>The key of another URL of the same site, under the same policy.</summary>
    internal static CacheKey KeyOf(Uri uri, CachePolicy policy)
    {
        Span<byte> scratch = stackalloc byte[512];
        var composer = KeyComposer.Compose(
            policy,
            HostString.FromUriComponent(uri),
            PathString.Empty,
            PathString.FromUriComponent(uri),
            QueryString.FromUriComponent(uri),
            scratch);
        try
        {
            return composer.ToKey();
        }
        finally
        {
            composer.Dispose();
        }
    }
}

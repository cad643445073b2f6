using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace CdnEdge.Delivery;

/// <summary>A request's target as an absolute URI.</summary>
internal static class RequestTarget
{
    internal static Uri Of(HttpRequest request) =>
        new(UriHelper.BuildAbsolute(request.Scheme, request.Host, request.PathBase, request.Path, request.QueryString));
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// The limit of a request's body: that of the route (YARP's MaxRequestBodySize), else the server's. YARP sets the
/// route's as well, but not before its own pipeline runs: by then the guard has looked into a chunked body, and the
/// server takes no other limit any more.
/// </summary>
internal static class BodyLimit
{
    internal static void Apply(HttpContext context, RouteConfig route)
    {
        if (route.MaxRequestBodySize is { } limit && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = limit == -1 ? null : limit;
        }
    }

    /// <summary>A body that says itself that it's too large isn't asked for, nor forwarded. Null: it isn't, or says nothing.</summary>
    internal static GuardRefusal? Inspect(HttpContext context) =>
        context.Request.ContentLength > context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ? Refusal : null;

    internal static GuardRefusal Refusal { get; } =
        new(StatusCodes.Status413PayloadTooLarge, "The request's body is larger than is taken here.", CloseConnection: true);
}

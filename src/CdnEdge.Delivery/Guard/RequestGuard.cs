using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Loops;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Guard;

/// <summary>Refuses what must not go any further: ambiguous framing and requests that have been here before.</summary>
internal sealed class RequestGuard(CacheName name)
{
    /// <param name="context">The request's.</param>
    /// <param name="nodesBefore">So many nodes of this CDN, all of one name, did the request come through by their own, signed word.</param>
    internal GuardRefusal? Refuse(HttpContext context, int nodesBefore = 0)
    {
        if ((FramingGuard.Inspect(context) ?? TargetGuard.Inspect(context)) is { } refusal)
        {
            return refusal;
        }

        return CdnLoop.Count(context.Request.Headers, name.Value) > nodesBefore
            ? new GuardRefusal(StatusCodes.Status508LoopDetected, "The request has passed this edge before (CDN-Loop).", CloseConnection: false)
            : null;
    }

    /// <summary>What costs more to see, and matters only where something is forwarded.</summary>
    internal static GuardRefusal? RefuseToForward(HttpContext context) =>
        RequestTarget.HasValidHost(context.Request)
            ? null
            : new GuardRefusal(StatusCodes.Status400BadRequest, "The request's Host is none.", CloseConnection: true);

    /// <summary>A body that is too large, or malformed where it begins; to be called before the request is forwarded.</summary>
    internal static ValueTask<GuardRefusal?> RefuseBodyAsync(HttpContext context, RouteConfig route)
    {
        BodyLimit.Apply(context, route);
        return BodyLimit.Inspect(context) is { } refusal ? new ValueTask<GuardRefusal?>(refusal) : FramingGuard.InspectBodyAsync(context);
    }

    internal Task AnswerAsync(HttpContext context, GuardRefusal refusal)
    {
        if (refusal.CloseConnection)
        {
            context.Response.Headers.Connection = "close";
        }

        if (refusal.StatusCode == StatusCodes.Status508LoopDetected)
        {
            context.Response.Headers[ProxyStatus.Field] = ProxyStatus.LoopDetected.ToField(name.Value);
        }

        return ErrorResponder.WriteAsync(context, refusal.StatusCode, refusal.Reason, new CacheStatus { Detail = "refused" }.Format(name.Value));
    }
}

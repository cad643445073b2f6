using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Requests that end here although nothing is wrong with them: OPTIONS and TRACE that may go no further
/// (<c>Max-Forwards: 0</c>, RFC 9110 §7.6.2), and <c>OPTIONS *</c>, which asks about the server that it's sent to and
/// no resource of an origin (§9.3.7).
/// </summary>
internal static class FinalRecipient
{
    internal static bool IsEdge(HttpContext context)
    {
        var request = context.Request;
        var isOptions = HttpMethods.IsOptions(request.Method);
        return (isOptions && context.Features.Get<IHttpRequestFeature>()?.RawTarget == "*")
            || ((isOptions || HttpMethods.IsTrace(request.Method)) && MaxForwards.Of(request.Headers) == 0);
    }

    internal static Task AnswerAsync(HttpContext context, string name)
    {
        var status = new CacheStatus { Detail = "final-recipient" }.Format(name);
        var response = context.Response;
        if (HttpMethods.IsTrace(context.Request.Method))
        {
            // It would show what stands before the edge, cookies and credentials included.
            response.Headers.Allow = "GET, HEAD, OPTIONS";
            return ErrorResponder.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "this edge reflects no requests.", status);
        }

        response.StatusCode = StatusCodes.Status204NoContent;
        response.Headers.CacheControl = "no-store";
        ResponseHead.AppendCacheStatus(response.Headers, status);
        return Task.CompletedTask;
    }
}

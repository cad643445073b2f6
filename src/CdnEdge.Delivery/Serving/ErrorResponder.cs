using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace CdnEdge.Delivery.Serving;

/// <summary>Answers that the edge makes itself when there is none from upstream: short, plain, nothing private.</summary>
internal static class ErrorResponder
{
    internal static Task WriteFailureAsync(HttpContext context, ProxyStatus failure, string name, string cacheStatus)
    {
        context.Response.Clear();
        context.Response.Headers[ProxyStatus.Field] = failure.ToField(name);
        return WriteAsync(context, failure.StatusCode, failure.Details, cacheStatus);
    }

    /// <summary>Writes <paramref name="status"/> with one line that says why.</summary>
    internal static async Task WriteAsync(HttpContext context, int status, string reason, string cacheStatus)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        ResponseHead.AppendCacheStatus(response.Headers, cacheStatus);
        var text = $"{status} {ReasonPhrases.GetReasonPhrase(status)}: {reason.TrimEnd('.')}.\n";
        response.ContentLength = System.Text.Encoding.UTF8.GetByteCount(text);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.WriteAsync(text, context.RequestAborted);
        }
    }
}

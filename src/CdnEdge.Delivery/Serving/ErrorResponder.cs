using System.Globalization;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Delivery.Guard;
using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace CdnEdge.Delivery.Serving;

/// <summary>Answers that the edge makes itself when there is none from upstream: short, plain, nothing private.</summary>
internal static class ErrorResponder
{
    /// <summary>When a client may try again, where nothing is known of it.</summary>
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>No upstream gave a response: says which failed and how, when to try again, and shows the site's own page if it has one.</summary>
    internal static async Task WriteFailureAsync(HttpContext context, ProxyStatus failure, CacheServices services, CachePolicy policy, string cacheStatus)
    {
        var response = context.Response;
        response.Clear();
        response.Headers[ProxyStatus.Field] = failure.ToField(services.Name);
        if (failure.StatusCode is not (StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status504GatewayTimeout))
        {
            await WriteAsync(context, failure.StatusCode, failure.Details, cacheStatus);
            return;
        }

        SayRetryAfter(response, failure.RetryAfter ?? DefaultRetryAfter);
        if (policy.ErrorPage is { } path && services.ErrorPages.Find(path) is { } page)
        {
            await WriteAsync(context, failure.StatusCode, page.ContentType, page.Body, cacheStatus);
            return;
        }

        await WriteAsync(context, failure.StatusCode, failure.Details, cacheStatus);
    }

    /// <summary>
    /// Nothing is wrong with the request but when it came. Nobody may have looked at its framing, so nothing behind a body is taken for
    /// another.
    /// </summary>
    internal static Task WriteNotNowAsync(HttpContext context, int status, string reason, TimeSpan retryAfter, string cacheStatus)
    {
        if (FramingGuard.MayHaveBody(context.Request))
        {
            context.Response.Headers.Connection = "close";
        }

        SayRetryAfter(context.Response, retryAfter);
        return WriteAsync(context, status, reason, cacheStatus);
    }

    /// <summary>Writes <paramref name="status"/> with one line that says why.</summary>
    internal static Task WriteAsync(HttpContext context, int status, string reason, string cacheStatus) => WriteAsync(
        context,
        status,
        "text/plain; charset=utf-8",
        Encoding.UTF8.GetBytes($"{status} {ReasonPhrases.GetReasonPhrase(status)}: {reason.TrimEnd('.')}.\n"),
        cacheStatus);

    private static void SayRetryAfter(HttpResponse response, TimeSpan time) =>
        response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private static async Task WriteAsync(HttpContext context, int status, string contentType, byte[] body, string cacheStatus)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store";
        ResponseHead.AppendCacheStatus(response.Headers, cacheStatus);
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}

using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>Answers range requests from a stored response (RFC 9110 §14).</summary>
internal static class RangeResponder
{
    /// <summary>Whether a response stored in parts has all that the request's Range asks for.</summary>
    internal static bool CanServe(PartialBody parts, IHeaderDictionary requestHeaders, StoredHead head, DateTimeOffset now)
    {
        if (parts.Length <= 0
            || requestHeaders.Range.Count == 0
            || !Preconditions.AllowsRange(requestHeaders, head.ETag, head.LastModified, head.Date, now)
            || RangeField.Resolve(requestHeaders.Range, parts.Length, out var ranges) != RangeOutcome.Satisfiable)
        {
            return false;
        }

        return Array.TrueForAll(ranges, parts.Covers);
    }

    /// <summary>False where the request is to be answered with the whole. The reference on the body stays the caller's.</summary>
    internal static async Task<bool> TryServeAsync(HttpContext context, Representation chosen, DateTimeOffset now, string cacheStatus)
    {
        var request = context.Request;
        var head = chosen.Head;
        if (chosen.Body is not { } body
            || !HttpMethods.IsGet(request.Method)
            || request.Headers.Range.Count == 0
            || head.Status is not (StatusCodes.Status200OK or StatusCodes.Status206PartialContent)
            || !Preconditions.AllowsRange(request.Headers, chosen.ETag, chosen.DistinctDate, head.Date, now))
        {
            return false;
        }

        var length = body.Length;
        var response = context.Response;
        switch (RangeField.Resolve(request.Headers.Range, length, out var ranges))
        {
            case RangeOutcome.Unsatisfiable:
                ResponseHead.WriteStored(response, in chosen, StatusCodes.Status416RangeNotSatisfiable, now, cacheStatus);
                ResponseHead.RemoveForRefusal(response.Headers);
                response.Headers.ContentRange = ContentRange.FormatUnsatisfied(length);
                return true;

            case RangeOutcome.Satisfiable:
                ResponseHead.WriteStored(response, in chosen, StatusCodes.Status206PartialContent, now, cacheStatus);
                await (ranges.Length == 1
                    ? WriteSingleAsync(context, body, ranges[0], length)
                    : WriteMultipartAsync(context, body, ranges, length));
                return true;

            case RangeOutcome.Ignore:
            default:
                return false;
        }
    }

    private static Task WriteSingleAsync(HttpContext context, StoredBody body, ByteRange range, long length)
    {
        context.Response.Headers.ContentRange = ContentRange.Format(range, length);
        context.Response.ContentLength = range.Length;
        return StoredResponder.WriteRangeAsync(context, body, range, release: false);
    }

    private static async Task WriteMultipartAsync(HttpContext context, StoredBody body, ByteRange[] ranges, long length)
    {
        var response = context.Response;
        var multipart = new MultipartByteRanges(ranges, length, response.ContentType);
        response.Headers.ContentRange = default;
        response.ContentType = multipart.ContentType;
        response.ContentLength = multipart.ContentLength;
        for (var i = 0; i < ranges.Length; i++)
        {
            await response.BodyWriter.WriteAsync(multipart.PartHeader(i), context.RequestAborted);
            await StoredResponder.WriteRangeAsync(context, body, ranges[i], release: false);
        }

        await response.BodyWriter.WriteAsync(multipart.Trailer, context.RequestAborted);
    }
}

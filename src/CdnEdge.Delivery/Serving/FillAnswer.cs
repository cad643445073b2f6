using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Peering;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Serving;

/// <summary>Answers a client from a fill's response: the client's own conditions and range apply to it as to a stored one.</summary>
internal static class FillAnswer
{
    internal static async Task WriteAsync(
        HttpContext context, CachePolicy policy, Fill fill, FillReader reader, FillHead head, bool collapsed, DateTimeOffset now, string cacheStatus)
    {
        var request = context.Request;
        var response = context.Response;
        var peer = PeerAnswer.Of(context);
        var codings = head.Stored is { } stored ? Negotiation.CodingsOf(stored, head.ContentLength, policy, asStored: peer is not null) : null;
        WriteHead(response, head, codings, collapsed, now, cacheStatus);
        peer?.IsFrom(head.Stored, head.FetchedBefore);

        var condition = Preconditions.AnyIn(request.Headers)
            ? Preconditions.Evaluate(request.Headers, head.Status, ETagOf(head), LastModifiedOf(head, now), DateOf(head), now)
            : PreconditionResult.Proceed;
        var hasAwaited = AwaitedTag.IsIn(request.Headers, head.Status, ETagOf(head), codings?.Plan.Choose(request.Headers, codings), out var awaited);
        if (condition == PreconditionResult.NotModified || (condition == PreconditionResult.Proceed && hasAwaited))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            ResponseHead.RemoveRepresentationFields(response.Headers);
            if (hasAwaited)
            {
                response.Headers.ETag = awaited.Text;
            }

            return;
        }

        if (condition == PreconditionResult.Failed)
        {
            response.StatusCode = StatusCodes.Status412PreconditionFailed;
            ResponseHead.RemoveForRefusal(response.Headers);
            return;
        }

        if (HttpMethods.IsHead(request.Method))
        {
            return;
        }

        long? end = null;
        if (head is { Status: StatusCodes.Status200OK, Stored: not null, ContentLength: > 0 and var length }
            && request.Headers.Range.Count > 0
            && Preconditions.AllowsRange(request.Headers, ETagOf(head), codings is null ? LastModifiedOf(head, now) : null, DateOf(head), now)
            && RangeField.Resolve(request.Headers.Range, length, out var ranges) == RangeOutcome.Satisfiable
            && ranges is [var range])
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = ContentRange.Format(range, length);
            response.ContentLength = range.Length;
            reader.Seek(range.Offset);
            end = range.End;
        }

        var original = context.Features.Get<IHttpResponseBodyFeature>();
        var chunked = head.AnnouncesTrailers && end is null ? ChunkedBody.TryBegin(context) : null;
        try
        {
            var whole = await FillResponder.WriteBodyAsync(context, fill, reader, end);
            if (whole && end is null)
            {
                await FillResponder.WriteTrailersAsync(context, fill, chunked);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: nobody is left to tell.
        }
        finally
        {
            context.Features.Set(original);
        }
    }

    private static void WriteHead(HttpResponse response, FillHead head, CodingVerdict? codings, bool collapsed, DateTimeOffset now, string cacheStatus)
    {
        if (head.Stored is { } stored && collapsed)
        {
            ResponseHead.WriteStored(response, new Representation(stored, null, codings), stored.Status, now, cacheStatus);
        }
        else
        {
            response.StatusCode = head.Status;
            foreach (var (name, value) in head.Headers)
            {
                response.Headers[name] = value;
            }

            if (head.Stored is { Freshness: var freshness } && freshness.Age(now) >= TimeSpan.FromSeconds(1))
            {
                response.Headers.Age = ResponseHead.AgeText((long)freshness.Age(now).TotalSeconds);
            }

            if (codings is { Vary: { Count: > 0 } vary })
            {
                response.Headers.Vary = vary;
            }

            ResponseHead.AppendCacheStatus(response.Headers, cacheStatus);
        }

        response.ContentLength = head.ContentLength;
    }

    private static EntityTag? ETagOf(FillHead head) =>
        head.Stored is { } stored ? stored.ETag
        : head.Headers.ETag.Count == 1 && EntityTag.TryParse(head.Headers.ETag.ToString(), out var tag) ? tag
        : null;

    private static DateTimeOffset? LastModifiedOf(FillHead head, DateTimeOffset now) =>
        head.Stored is { } stored ? stored.LastModified
        : HttpDate.TryParse(head.Headers.LastModified, now, out var date) ? date
        : null;

    /// <summary>
    /// A cache takes the Date of what it stores for a missing Last-Modified (RFC 9111 §4.3.2). Of what isn't stored nobody
    /// knows since when it's so: no If-Modified-Since holds for it (RFC 9110 §13.1.3).
    /// </summary>
    private static DateTimeOffset DateOf(FillHead head) => head.Stored is { } stored ? stored.Date : DateTimeOffset.MaxValue;
}

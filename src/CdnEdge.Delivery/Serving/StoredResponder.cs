using System.IO.Pipelines;
using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>Answers from a stored response: whole, as 304 or 412, or in ranges.</summary>
internal static class StoredResponder
{
    /// <summary>How much of a large body is written between two flushes.</summary>
    internal const int BurstBytes = 64 * 1024;

    /// <summary>Bodies up to this many bytes are handed to Kestrel in one go, without waiting in between: HTTP/2 schedules each wait anew.</summary>
    private const int WholeBytes = 128 * 1024;

    /// <summary>
    /// Larger bodies go behind a head that has been begun. Until then Kestrel's HTTP/1.1 keeps what is written aside, and copies it behind the
    /// head in blocks of 4 KiB.
    /// </summary>
    private const int AsideBytes = 4 * 1024;

    /// <summary>
    /// Answers with what was chosen. Takes over the caller's reference on its body. Completes synchronously, and allocates nothing of its
    /// own, where the body fits <see cref="WholeBytes"/> and the request has no conditions.
    /// </summary>
    internal static Task ServeAsync(HttpContext context, in Representation chosen, DateTimeOffset now, string cacheStatus)
    {
        var request = context.Request;
        if (Preconditions.AnyIn(request.Headers) || chosen.Body is PartialBody)
        {
            return ServeConditionalAsync(context, chosen, now, cacheStatus);
        }

        ResponseHead.WriteStored(context.Response, in chosen, chosen.Head.Status, now, cacheStatus);
        return WriteWholeAsync(context, chosen.Head, chosen.Body);
    }

    private static Task WriteWholeAsync(HttpContext context, StoredHead head, StoredBody? body)
    {
        var response = context.Response;
        if (body is null)
        {
            if (head.Status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified))
            {
                response.ContentLength = 0;
            }

            return Task.CompletedTask;
        }

        var length = body.Length;
        response.ContentLength = length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            body.Release();
            return Task.CompletedTask;
        }

        return length > WholeBytes
            ? WriteRangeAsync(context, body, new ByteRange(0, length), release: true)
            : WriteAtOnceAsync(context, body, (int)length);
    }

    private static async Task WriteAtOnceAsync(HttpContext context, StoredBody body, int length)
    {
        try
        {
            await BeginAsync(context, length);

            // Kestrel sends it when the request ends.
            CopyTo(context.Response.BodyWriter, body, 0, length);
        }
        finally
        {
            body.Release();
        }
    }

    /// <summary>Begins the head where that saves a copy of the body.</summary>
    private static Task BeginAsync(HttpContext context, long length) =>
        length > AsideBytes && HttpProtocol.IsHttp11(context.Request.Protocol) ? context.Response.StartAsync() : Task.CompletedTask;

    private static async Task ServeConditionalAsync(HttpContext context, Representation chosen, DateTimeOffset now, string cacheStatus)
    {
        var (head, body) = (chosen.Head, chosen.Body);
        try
        {
            var request = context.Request;
            var response = context.Response;
            var condition = Preconditions.Evaluate(request.Headers, head.Status, chosen.ETag, head.LastModified, head.Date, now);
            var hasAwaited = AwaitedTag.IsIn(request.Headers, head.Status, head.ETag, chosen.Awaited, out var awaited);
            switch (condition)
            {
                case PreconditionResult.Proceed when hasAwaited:
                case PreconditionResult.NotModified:
                    ResponseHead.WriteStored(response, in chosen, StatusCodes.Status304NotModified, now, cacheStatus);
                    ResponseHead.RemoveRepresentationFields(response.Headers);
                    if (hasAwaited)
                    {
                        response.Headers.ETag = awaited.Text;
                    }

                    return;

                case PreconditionResult.Failed:
                    ResponseHead.WriteStored(response, in chosen, StatusCodes.Status412PreconditionFailed, now, cacheStatus);
                    ResponseHead.RemoveForRefusal(response.Headers);
                    return;

                case PreconditionResult.Proceed:
                default:
                    break;
            }

            if (await RangeResponder.TryServeAsync(context, chosen, now, cacheStatus))
            {
                return;
            }

            ResponseHead.WriteStored(response, in chosen, head.Status, now, cacheStatus);
            if (body is not null)
            {
                // WriteWholeAsync releases its own reference.
                body.TryAcquire();
            }

            await WriteWholeAsync(context, head, body);
        }
        finally
        {
            body?.Release();
        }
    }

    /// <summary>Writes a range of a body that's all there, at the client's pace.</summary>
    internal static async Task WriteRangeAsync(HttpContext context, StoredBody body, ByteRange range, bool release)
    {
        try
        {
            var writer = context.Response.BodyWriter;
            var aborted = context.RequestAborted;
            var turn = default(Turn);
            await BeginAsync(context, range.Length);
            for (var offset = range.Offset; offset < range.End;)
            {
                var burst = (int)Math.Min(BurstBytes, range.End - offset);
                CopyTo(writer, body, offset, burst);
                offset += burst;
                var flushed = await writer.FlushAsync(aborted);
                if (flushed.IsCompleted)
                {
                    // The client has gone.
                    return;
                }

                if (turn.IsOverAfter(burst))
                {
                    await Task.Yield();
                }
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: nobody is left to tell.
        }
        finally
        {
            if (release)
            {
                body.Release();
            }
        }
    }

    private static void CopyTo(PipeWriter writer, StoredBody body, long offset, int count)
    {
        // In one span: Kestrel keeps it together down to the socket or to TLS, where small blocks each cost a record or more.
        var target = writer.GetSpan(count)[..count];
        while (!target.IsEmpty)
        {
            var run = body.Read(offset, target.Length).Span;
            if (run.IsEmpty)
            {
                throw new InvalidOperationException($"A stored body of {body.Length} bytes lacks the byte at {offset}.");
            }

            run.CopyTo(target);
            target = target[run.Length..];
            offset += run.Length;
        }

        writer.Advance(count);
    }
}

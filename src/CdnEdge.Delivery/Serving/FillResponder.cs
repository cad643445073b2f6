using CdnEdge.Delivery.Fills;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>Answers from a fill under way: the body as it arrives, at this client's own pace.</summary>
internal static class FillResponder
{
    /// <summary>How long the head waits for the body's first byte: an origin that breaks at once is still a clean 502.</summary>
    private static readonly TimeSpan FirstByteGrace = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Waits for the body's first byte, the end or <see cref="FirstByteGrace"/>; false if the fill failed by then:
    /// nothing has been sent to this client yet, so an error can still be answered.
    /// </summary>
    internal static async ValueTask<bool> HasUsableBodyAsync(Fill fill, TimeProvider time, CancellationToken aborted)
    {
        Task? deadline = null;
        while (true)
        {
            var version = fill.Version;
            if (fill.IsFailed)
            {
                return false;
            }

            if (fill.IsCompleted || fill.Body is null or { Length: > 0 } || deadline is { IsCompleted: true })
            {
                return true;
            }

            deadline ??= Task.Delay(FirstByteGrace, time, aborted);
            await Task.WhenAny(fill.ChangedAsync(version), deadline);
        }
    }

    /// <summary>
    /// Writes the body from the reader's position to <paramref name="end"/> (null: to the fill's end). A body that breaks
    /// off is broken for the client too: it must never look whole. True if it was written to its end.
    /// </summary>
    internal static async Task<bool> WriteBodyAsync(HttpContext context, Fill fill, FillReader reader, long? end)
    {
        var writer = context.Response.BodyWriter;
        var aborted = context.RequestAborted;
        var unflushed = 0;
        while (true)
        {
            var version = fill.Version;
            var completed = fill.IsCompleted;
            var wanted = (int)Math.Min(16 * 1024, (end ?? long.MaxValue) - reader.Position);
            var read = wanted == 0 ? 0 : reader.Read(writer.GetSpan(wanted)[..wanted]);
            if (read > 0)
            {
                writer.Advance(read);
                unflushed += read;
                if (unflushed < StoredResponder.BurstBytes)
                {
                    continue;
                }
            }

            if (unflushed > 0)
            {
                unflushed = 0;
                if ((await writer.FlushAsync(aborted)).IsCompleted)
                {
                    return false;
                }

                continue;
            }

            if (wanted == 0)
            {
                return true;
            }

            // First: one that was cut off lacks bytes though the fill itself came to its end.
            if (reader.IsCutOff || (fill.IsFailed && !completed))
            {
                context.Abort();
                return false;
            }

            if (completed)
            {
                return true;
            }

            if (!context.Response.HasStarted)
            {
                // The head goes out though no byte of the body is here: the client may be waiting for it.
                await context.Response.StartAsync(aborted);
            }

            await fill.ChangedAsync(version).WaitAsync(aborted);
        }
    }

    /// <summary>Sends the trailer section, through <paramref name="chunked"/> where the server can't.</summary>
    internal static async ValueTask WriteTrailersAsync(HttpContext context, Fill fill, ChunkedBody? chunked)
    {
        if (fill.Trailers is { Count: > 0 } trailers && (chunked is not null || context.Response.SupportsTrailers()))
        {
            foreach (var (name, value) in trailers)
            {
                if (chunked is not null)
                {
                    chunked.Trailers[name] = value;
                }
                else
                {
                    context.Response.AppendTrailer(name, value);
                }
            }
        }

        if (chunked is not null)
        {
            await chunked.EndAsync(context.RequestAborted);
        }
    }
}

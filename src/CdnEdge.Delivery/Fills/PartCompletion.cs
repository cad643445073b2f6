using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// A 206 that brings the one range that stored parts lack: they and it make the whole (RFC 9111 §3.4). Holds the parts
/// to the end, for those behind the gap come last.
/// </summary>
internal sealed class PartCompletion : IDisposable
{
    private readonly StoredHead _head;
    private readonly PartialBody _parts;
    private readonly ByteRange _gap;

    private PartCompletion(StoredHead head, PartialBody parts, ByteRange gap) => (_head, _parts, _gap) = (head, parts, gap);

    /// <summary>Null where the response isn't the range that was asked for, of the representation that is stored.</summary>
    internal static PartCompletion? TryBegin(StoredResponse stored, ByteRange gap, int status, IHeaderDictionary headers) =>
        status == StatusCodes.Status206PartialContent
        && stored.Body is PartialBody parts
        && ContentRange.TryParse(headers.ContentRange, out var contentRange)
        && contentRange.Range == gap
        && contentRange.CompleteLength == parts.Length
        && PartStore.MayCombine(stored.Head, headers)
        && parts.TryAcquire()
            ? new PartCompletion(stored.Head, parts, gap)
            : null;

    /// <summary>The fields of the whole: those stored, freshened by the 206's, and what the 206 has beside them.</summary>
    internal IHeaderDictionary FieldsOfWhole(IHeaderDictionary newer, CachePolicy policy, DateTimeOffset requestTime, DateTimeOffset responseTime)
    {
        IHeaderDictionary headers = new HeaderDictionary();
        var freshened = _head.Freshen(newer, policy, requestTime, responseTime);
        foreach (var field in freshened.Fields.Concat(freshened.Withheld))
        {
            headers[field.Name] = field.Value;
        }

        foreach (var (name, value) in newer)
        {
            if (!headers.ContainsKey(name))
            {
                headers[name] = value;
            }
        }

        headers.ContentRange = default;
        headers.ContentLength = _parts.Length;
        return headers;
    }

    /// <summary>Appends what stands before the gap.</summary>
    internal void AppendBefore(GrowingBody body) => Append(body, new ByteRange(0, _gap.Offset));

    /// <summary>Whether <paramref name="count"/> bytes more are still the gap's.</summary>
    internal bool HasRoomFor(GrowingBody body, int count) => body.Length + count <= _gap.End;

    /// <summary>Appends what stands behind the gap, if the gap has been filled.</summary>
    internal void AppendBehind(GrowingBody body)
    {
        if (body.Length == _gap.End)
        {
            Append(body, new ByteRange(_gap.End, _parts.Length - _gap.End));
        }
    }

    public void Dispose() => _parts.Release();

    private void Append(GrowingBody body, ByteRange range)
    {
        for (var offset = range.Offset; offset < range.End;)
        {
            var run = _parts.Read(offset, (int)Math.Min(StoredResponder.BurstBytes, range.End - offset));
            if (run.IsEmpty)
            {
                throw new InvalidOperationException($"A stored part lacks the byte at {offset}.");
            }

            body.Append(run.Span);
            offset += run.Length;
        }
    }
}

using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>Stores the parts that 206 responses bring, and combines them (RFC 9111 §3.4).</summary>
internal static class PartStore
{
    /// <summary>True if both carry the same strong validator.</summary>
    internal static bool MayCombine(StoredHead stored, IHeaderDictionary newer) =>
        stored.ETag is { IsWeak: false } have
        && newer.ETag.Count == 1
        && EntityTag.TryParse(newer.ETag.ToString(), out var came)
        && have.StrongEquals(came);

    /// <summary>
    /// Which bytes a 206's body is, by its Content-Range and its actual length; null if they contradict each other.
    /// </summary>
    /// <remarks>
    /// One contradiction is common enough to be understood: a part that claims to reach the end and is one byte shorter,
    /// whole by its own framing. Its sender counted the last position one too high; the framing is what was received, so
    /// the representation ends where the part does. A part that lacks more than that is broken, whatever it claims.
    /// </remarks>
    internal static (ByteRange Range, long? CompleteLength)? Locate(ContentRange contentRange, long actualLength)
    {
        var claimed = contentRange.Range;
        if (claimed.Length == actualLength)
        {
            return (claimed, contentRange.CompleteLength);
        }

        return claimed.End == contentRange.CompleteLength && actualLength > 0 && actualLength == claimed.Length - 1
            ? (new ByteRange(claimed.Offset, actualLength), claimed.Offset + actualLength)
            : null;
    }

    /// <summary>The body to store: the part alone, or with the parts stored before it. Takes over the reference to <paramref name="bytes"/>.</summary>
    internal static PartialBody Combine(StoredResponse? stored, IHeaderDictionary newer, ByteRange range, long? completeLength, GrowingBody bytes)
    {
        // Acquired: the parts may have been evicted since they were looked up.
        if (stored is not { Body: PartialBody parts, Head: var head }
            || (completeLength is not null && parts.Length >= 0 && parts.Length != completeLength)
            || !MayCombine(head, newer)
            || !parts.TryAcquire())
        {
            return PartialBody.Create(range, completeLength, bytes);
        }

        try
        {
            return parts.With(range, completeLength, bytes);
        }
        finally
        {
            parts.Release();
        }
    }
}

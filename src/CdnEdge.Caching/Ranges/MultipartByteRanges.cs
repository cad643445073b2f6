using System.Security.Cryptography;
using System.Text;

namespace CdnEdge.Caching;

/// <summary>The framing of a multipart/byteranges body (RFC 9110 §14.6); the bytes between come from the stored body.</summary>
internal sealed class MultipartByteRanges
{
    // Enough that no body can be made to contain it.
    private const int BoundaryBytes = 16;

    private readonly byte[][] _partHeaders;
    private readonly byte[] _trailer;

    /// <param name="ranges">The parts, in the order in which they're sent.</param>
    /// <param name="completeLength">The representation's length in bytes.</param>
    /// <param name="contentType">The representation's Content-Type, repeated in each part; null where it has none.</param>
    internal MultipartByteRanges(ByteRange[] ranges, long completeLength, string? contentType)
    {
        var boundary = RandomNumberGenerator.GetHexString(BoundaryBytes * 2, lowercase: true);
        var typeLine = contentType is null ? "" : $"Content-Type: {contentType}\r\n";

        Ranges = ranges;
        ContentType = $"multipart/byteranges; boundary={boundary}";
        _partHeaders = new byte[ranges.Length][];
        _trailer = Encoding.Latin1.GetBytes($"\r\n--{boundary}--\r\n");
        ContentLength = _trailer.Length;
        for (var i = 0; i < ranges.Length; i++)
        {
            // The line break before a boundary belongs to it (RFC 2046 §5.1.1); before the first there's nothing to end.
            var lineBreak = i == 0 ? "" : "\r\n";
            _partHeaders[i] = Encoding.Latin1.GetBytes(
                $"{lineBreak}--{boundary}\r\n{typeLine}Content-Range: {ContentRange.Format(ranges[i], completeLength)}\r\n\r\n");
            ContentLength += _partHeaders[i].Length + ranges[i].Length;
        }
    }

    /// <summary>Value of Content-Type, with an unguessable boundary.</summary>
    internal string ContentType { get; }

    /// <summary>Exact length of the whole body in bytes.</summary>
    internal long ContentLength { get; }

    internal ByteRange[] Ranges { get; }

    /// <summary>What stands before the bytes of part <paramref name="index"/>.</summary>
    internal ReadOnlyMemory<byte> PartHeader(int index) => _partHeaders[index];

    /// <summary>What stands after the last part.</summary>
    internal ReadOnlyMemory<byte> Trailer => _trailer;
}

using System.Numerics;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace CdnEdge.Delivery.Compression;

/// <summary>Zstandard (RFC 8878) for ASP.NET's response compression, by ZstdSharp.</summary>
internal sealed class ZstdCompressionProvider : ISizedCompressionProvider
{
    /// <summary>8 MiB: what every client of the coding has to be able to decompress (RFC 9659).</summary>
    internal const int LargestWindowLog = 23;

    private const int SmallestWindowLog = 10;

    /// <summary>Its name in zstd.h is ZSTD_c_srcSizeHint. Without it a page of ten kibibytes takes as long as one of a hundred.</summary>
    private const ZSTD_cParameter SizeHint = ZSTD_cParameter.ZSTD_c_experimentalParam7;

    /// <summary>Up to here level 19, at some 2 MB/s of a core; above 15, at 6 MB/s and for 3 % more bytes.</summary>
    private const long Small = 1 << 20;

    public string EncodingName => "zstd";

    public bool SupportsFlush => true;

    public Stream CreateStream(Stream outputStream) => CreateStream(outputStream, Small);

    public Stream CreateStream(Stream outputStream, long length)
    {
        var stream = new CompressionStream(outputStream, length <= Small ? 19 : 15, leaveOpen: true);

        // No larger than it needs to be: the level's own window takes tens of mebibytes, even for a page of ten kibibytes.
        var windowLog = BitOperations.Log2((ulong)Math.Max(length, 1)) + 1;
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, Math.Clamp(windowLog, SmallestWindowLog, LargestWindowLog));
        stream.SetParameter(SizeHint, (int)Math.Min(length, int.MaxValue));
        return stream;
    }
}

using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;

namespace CdnEdge.Delivery.Compression;

/// <summary>
/// Brotli, the better the smaller: a core has about as much to do for the largest that is compressed as for one of a mebibyte.
/// </summary>
internal sealed class BrotliBySize : ISizedCompressionProvider
{
    /// <summary>Up to here the best there is (11), at some 0.6 MB/s of a core.</summary>
    private const long Small = 256 << 10;

    /// <summary>Up to here 10, at 1 to 2 MB/s and for 2 % more bytes; above it 9, at 7 to 20 MB/s and for 10 % more.</summary>
    private const long Medium = 1 << 20;

    // ASP.NET's provider knows no quality between 4 and 11.
    private static readonly BrotliCompressionProvider Best = new(new BrotliCompressionProviderOptions { Level = CompressionLevel.SmallestSize });

    public string EncodingName => "br";

    public bool SupportsFlush => true;

    public Stream CreateStream(Stream outputStream) => CreateStream(outputStream, Medium);

    public Stream CreateStream(Stream outputStream, long length) =>
        length <= Small
            ? Best.CreateStream(outputStream)
            : new BrotliStream(outputStream, new BrotliCompressionOptions { Quality = length <= Medium ? 10 : 9 }, leaveOpen: true);
}

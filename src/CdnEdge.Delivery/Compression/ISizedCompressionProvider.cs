using Microsoft.AspNetCore.ResponseCompression;

namespace CdnEdge.Delivery.Compression;

/// <summary>A compression provider that does better where it knows how much is coming.</summary>
internal interface ISizedCompressionProvider : ICompressionProvider
{
    /// <summary>As <see cref="ICompressionProvider.CreateStream"/>.</summary>
    /// <param name="outputStream">Where the compressed bytes go; it's left open.</param>
    /// <param name="length">How many bytes will be written, about.</param>
    Stream CreateStream(Stream outputStream, long length);
}

using System.Collections.Frozen;
using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;

namespace CdnEdge.Delivery.Compression;

/// <summary>Who compresses to which coding: Brotli, zstd and gzip at a high level, and the providers that the application has registered.</summary>
internal sealed class CompressionProviders
{
    private readonly FrozenDictionary<string, ICompressionProvider> _byCoding;

    /// <param name="registered">The application's own; one for a coding that is here already takes its place, the last one's in.</param>
    public CompressionProviders(IEnumerable<ICompressionProvider> registered)
    {
        var byCoding = new Dictionary<string, ICompressionProvider>(StringComparer.OrdinalIgnoreCase);
        foreach (var provider in Own.Concat(registered))
        {
            byCoding[provider.EncodingName] = provider;
        }

        _byCoding = byCoding.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Those that are always there.</summary>
    internal static CompressionProviders BuiltIn { get; } = new([]);

    internal IEnumerable<string> Codings => _byCoding.Keys;

    private static IEnumerable<ICompressionProvider> Own =>
    [
        new BrotliBySize(),
        new ZstdCompressionProvider(),
        new GzipCompressionProvider(new GzipCompressionProviderOptions { Level = CompressionLevel.SmallestSize }),
    ];

    internal bool Has(string coding) => _byCoding.ContainsKey(coding);

    /// <summary>A stream that compresses what is written to it.</summary>
    /// <param name="coding">The coding.</param>
    /// <param name="output">Where the compressed bytes go.</param>
    /// <param name="length">How many bytes will be written, about.</param>
    internal Stream Open(string coding, Stream output, long length) => _byCoding[coding] switch
    {
        ISizedCompressionProvider sized => sized.CreateStream(output, length),
        var provider => provider.CreateStream(output),
    };
}

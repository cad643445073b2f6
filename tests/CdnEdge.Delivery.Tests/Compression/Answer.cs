using System.Globalization;
using System.IO.Compression;
using System.Text;
using ZstdSharp;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>A response as it came, taken apart.</summary>
internal sealed class Answer(string message)
{
    private readonly string[] _head = message.Split("\r\n\r\n")[0].Split("\r\n");

    internal int Status => int.Parse(_head[0].AsSpan(9, 3), CultureInfo.InvariantCulture);

    internal byte[] Body => Encoding.Latin1.GetBytes(message[(message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);

    /// <summary>Its lines, joined; null where there's none.</summary>
    internal string? this[string name] =>
        _head.Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim()).ToArray() is { Length: > 0 } lines
            ? string.Join(", ", lines)
            : null;

    internal string? Coding => this["Content-Encoding"];

    internal bool IsHit => this["Cache-Status"]!.StartsWith("cdnedge; hit", StringComparison.Ordinal);

    /// <summary>The text that the body stands for.</summary>
    internal string Text => Encoding.Latin1.GetString(Decode(Body, Coding));

    internal static byte[] Decode(byte[] body, string? coding)
    {
        using var coded = new MemoryStream(body);
        using Stream decoder = coding switch
        {
            "br" => new BrotliStream(coded, CompressionMode.Decompress),
            "gzip" => new GZipStream(coded, CompressionMode.Decompress),
            "zstd" => new DecompressionStream(coded),
            _ => coded,
        };
        using var decoded = new MemoryStream();
        decoder.CopyTo(decoded);
        return decoded.ToArray();
    }

    public override string ToString() => string.Join("\n", _head);
}

using System.IO.Compression;
using CdnEdge.Caching;

namespace CdnEdge.Storage.Redis;

/// <summary>A run of a body as it's kept: as it is, or compressed, whichever is shorter. The first byte says which.</summary>
internal static class Packing
{
    private const byte Plain = 0;
    private const byte Brotli = 1;
    private const int Quality = 4;
    private const int Window = 22;

    /// <summary>Shorter ones gain too little.</summary>
    private const int LeastBytes = 256;

    /// <param name="bytes">The run, after a byte of space.</param>
    internal static ReadOnlyMemory<byte> Pack(Memory<byte> bytes, bool compresses)
    {
        bytes.Span[0] = Plain;
        if (!compresses || bytes.Length < LeastBytes)
            return bytes;
        var packed = new byte[bytes.Length];
        if (!BrotliEncoder.TryCompress(bytes.Span[1..], packed.AsSpan(1), out var written, Quality, Window) || written + 1 >= bytes.Length)
            return bytes;
        packed[0] = Brotli;
        return packed.AsMemory(0, written + 1);
    }

    /// <summary>The run of <paramref name="length"/> bytes; false where it's something else.</summary>
    internal static bool TryUnpack(ReadOnlyMemory<byte> packed, int length, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        if (packed.IsEmpty)
            return false;
        var rest = packed[1..];
        switch (packed.Span[0])
        {
            case Plain:
                bytes = rest;
                return rest.Length == length;
            case Brotli:
                // No more than is due, whatever the bytes say.
                var unpacked = new byte[length];
                bytes = unpacked;
                return BrotliDecoder.TryDecompress(rest.Span, unpacked, out var written) && written == length;
            default:
                return false;
        }
    }

    /// <summary>Whether a response is text that came plain.</summary>
    internal static bool IsWorthwhile(StoredHead head)
    {
        if (Array.Exists(head.Fields, static field => field.Name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase)))
            return false;
        var type = StoredFields.Single(head.Fields, "Content-Type").AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim(" \t");
        return type.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+xml", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/javascript", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/xml", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/wasm", StringComparison.OrdinalIgnoreCase);
    }
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using CdnEdge.Storage;

namespace CdnEdge.Delivery.Compression;

/// <summary>gzip (RFC 1952), of one member. .NET takes a stream that breaks off for one that ends, so the trailer is compared here.</summary>
internal sealed class GzipDecoding(StoredBody body, long maxBytes) : Decoding(maxBytes)
{
    private const int TrailerBytes = 8;

    private readonly GZipStream _stream = new(new StoredBodyStream(body), CompressionMode.Decompress);
    private readonly Crc32 _crc = new();
    private uint _size;

    public override void Dispose() => _stream.Dispose();

    protected override int ReadNext(Span<byte> buffer)
    {
        var read = _stream.Read(buffer);
        if (read == 0 && !IsTrailer())
        {
            throw new InvalidDataException("it ends before its end, or has several members.");
        }

        _crc.Append(buffer[..read]);
        _size += (uint)read;
        return read;
    }

    private bool IsTrailer()
    {
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        using var end = new StoredBodyStream(body, Math.Max(0, body.Length - TrailerBytes));
        return end.ReadAtLeast(trailer, TrailerBytes, throwOnEndOfStream: false) == TrailerBytes
            && BinaryPrimitives.ReadUInt32LittleEndian(trailer) == _crc.GetCurrentHashAsUInt32()
            && BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) == _size;
    }
}

using CdnEdge.Storage;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace CdnEdge.Delivery.Compression;

/// <summary>Zstandard (RFC 8878), with the window that every client has to have (RFC 9659) and no larger one.</summary>
internal sealed class ZstdDecoding : Decoding
{
    private readonly DecompressionStream _stream;

    internal ZstdDecoding(StoredBody body, long maxBytes)
        : base(maxBytes)
    {
        _stream = new DecompressionStream(new StoredBodyStream(body), checkEndOfStream: true, leaveOpen: false);
        _stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdCompressionProvider.LargestWindowLog);
    }

    public override void Dispose() => _stream.Dispose();

    protected override int ReadNext(Span<byte> buffer)
    {
        try
        {
            return _stream.Read(buffer);
        }
        catch (Exception exception) when (exception is ZstdException or EndOfStreamException)
        {
            throw new InvalidDataException(exception.Message, exception);
        }
    }
}

using System.Buffers;
using System.IO.Compression;
using CdnEdge.Storage;

namespace CdnEdge.Delivery.Compression;

/// <summary>Brotli (RFC 7932). .NET's stream takes one that breaks off for one that ends; its decoder tells.</summary>
internal sealed class BrotliDecoding(StoredBody body, long maxBytes) : Decoding(maxBytes)
{
    private BrotliDecoder _decoder;
    private long _position;

    public override void Dispose() => _decoder.Dispose();

    protected override int ReadNext(Span<byte> buffer)
    {
        while (true)
        {
            var run = body.Read(_position, int.MaxValue).Span;
            var status = _decoder.Decompress(run, buffer, out var consumed, out var written);
            _position += consumed;
            if (status == OperationStatus.InvalidData)
            {
                throw new InvalidDataException("it's no Brotli.");
            }

            if (written > 0)
            {
                return written;
            }

            if (status == OperationStatus.Done && _position == body.Length)
            {
                return 0;
            }

            if (status == OperationStatus.Done || run.IsEmpty)
            {
                throw new InvalidDataException(run.IsEmpty ? "it ends before its end." : "something follows its end.");
            }
        }
    }
}

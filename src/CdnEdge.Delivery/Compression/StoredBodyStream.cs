using CdnEdge.Storage;

namespace CdnEdge.Delivery.Compression;

/// <summary>Reads a stored body to its end. The reference on the body is the caller's.</summary>
internal sealed class StoredBodyStream(StoredBody body, long position = 0) : Stream
{
    private long _position = position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => body.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var run = body.Read(_position, buffer.Length).Span;
        run.CopyTo(buffer);
        _position += run.Length;
        return run.Length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

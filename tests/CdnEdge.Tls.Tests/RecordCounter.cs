using System.Buffers.Binary;

namespace CdnEdge.Tls.Tests;

/// <summary>A connection that notes how long the TLS records are that come on it: what lies between 5-byte headers (RFC 8446 §5.1).</summary>
internal sealed class RecordCounter(Stream inner) : Stream
{
    private const int ApplicationData = 23;

    private readonly byte[] _header = new byte[5];
    private readonly List<int> _lengths = [];
    private int _ofHeader;
    private int _ofRecord;

    /// <summary>The lengths of the application's records so far, encryption's overhead included.</summary>
    internal int[] Lengths
    {
        get
        {
            lock (_lengths)
                return [.. _lengths];
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Note(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private void Note(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_ofRecord > 0)
            {
                var skipped = Math.Min(_ofRecord, bytes.Length);
                _ofRecord -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            _header[_ofHeader++] = bytes[0];
            bytes = bytes[1..];
            if (_ofHeader < _header.Length)
                continue;
            _ofHeader = 0;
            _ofRecord = BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(3));
            if (_header[0] != ApplicationData)
                continue;
            lock (_lengths)
                _lengths.Add(_ofRecord);
        }
    }
}

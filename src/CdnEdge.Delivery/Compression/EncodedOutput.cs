using System.Buffers;
using CdnEdge.Storage;
using CdnEdge.Upstream.HopByHop;

namespace CdnEdge.Delivery.Compression;

/// <summary>Takes compressed bytes as long as there are few enough of them; what comes beyond that is forgotten.</summary>
internal sealed class EncodedOutput(long limit) : WriteOnlyStream
{
    private const int PieceBytes = 64 * 1024;

    private readonly List<byte[]> _pieces = [];
    private int _free;
    private long _count;

    /// <summary>It has become more than it may.</summary>
    internal bool IsOver { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        IsOver |= _count + buffer.Length > limit;
        if (IsOver)
        {
            return;
        }

        _count += buffer.Length;
        while (!buffer.IsEmpty)
        {
            if (_free == 0)
            {
                _pieces.Add(ArrayPool<byte>.Shared.Rent(PieceBytes));
                _free = PieceBytes;
            }

            var taken = Math.Min(_free, buffer.Length);
            buffer[..taken].CopyTo(_pieces[^1].AsSpan(PieceBytes - _free));
            _free -= taken;
            buffer = buffer[taken..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
        // Nothing is buffered.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A body of the bytes.</summary>
    internal GrowingBody ToBody(SegmentArena arena)
    {
        var body = GrowingBody.Create(arena, _count);
        foreach (var piece in _pieces)
        {
            body.Append(piece.AsSpan(0, (int)Math.Min(PieceBytes, _count - body.Length)));
        }

        body.Seal();
        return body;
    }

    /// <summary>Gives the memory back. Not by disposing of it, which a provider's stream may do.</summary>
    internal void Discard()
    {
        _pieces.ForEach(static piece => ArrayPool<byte>.Shared.Return(piece));
        _pieces.Clear();
    }
}

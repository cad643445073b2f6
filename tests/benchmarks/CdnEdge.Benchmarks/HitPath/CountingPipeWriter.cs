using System.IO.Pipelines;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>Takes bytes in pieces of Kestrel's size, and forgets them.</summary>
internal sealed class CountingPipeWriter : PipeWriter
{
    private byte[] _piece = new byte[4096];

    public long Written { get; private set; }

    public void Reset() => Written = 0;

    public override void Advance(int bytes) => Written += bytes;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (sizeHint > _piece.Length) _piece = new byte[sizeHint];
        return _piece;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}

using CdnEdge.Storage;

namespace CdnEdge.Delivery.Fills;

/// <summary>One client's place in a fill's body.</summary>
internal sealed class FillReader(Fill fill) : IDisposable
{
    // Held while bytes are copied out, so that a window never frees them under the copy.
    private readonly Lock _copying = new();

    private StoredBody? _held;

    /// <summary>Its neighbours among the fill's readers; changed under the fill's lock.</summary>
    internal FillReader? Older { get; set; }
    internal FillReader? Newer { get; set; }

    /// <summary>Bytes read so far, as offset in the body.</summary>
    internal long Position { get; private set; }

    /// <summary>Fell too far behind in a body that isn't kept whole.</summary>
    internal bool IsCutOff { get; private set; }

    internal bool Acquire(StoredBody body)
    {
        if (!body.TryAcquire())
        {
            return false;
        }

        _held = body;
        return true;
    }

    /// <summary>Starts at <paramref name="offset"/> instead of 0; only for bodies kept whole.</summary>
    internal void Seek(long offset) => Position = offset;

    /// <summary>Copies what is there, at most <paramref name="destination"/>'s length; 0 if nothing is there yet or it was cut off.</summary>
    internal int Read(Span<byte> destination)
    {
        int copied;
        lock (_copying)
        {
            if (IsCutOff || _held is null)
            {
                return 0;
            }

            var bytes = _held.Read(Position, destination.Length).Span;
            bytes.CopyTo(destination);
            copied = bytes.Length;
            Position += copied;
        }

        if (copied > 0)
        {
            fill.SignalWriter();
        }

        return copied;
    }

    internal void CutOff()
    {
        lock (_copying)
        {
            IsCutOff = true;
        }
    }

    internal void ReleaseBody()
    {
        lock (_copying)
        {
            _held?.Release();
            _held = null;
        }
    }

    public void Dispose() => fill.Detach(this);
}

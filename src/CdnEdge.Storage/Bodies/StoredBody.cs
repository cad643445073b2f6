using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>
/// The bytes of a stored representation. Reference-counted: whoever reads holds a reference, so that eviction never
/// takes memory from under a client. The creator starts with one reference.
/// </summary>
internal abstract class StoredBody
{
    private int _references = 1;

    /// <summary>Length of the whole representation in bytes; for a growing body, what has arrived so far.</summary>
    internal abstract long Length { get; }

    /// <summary>False once the last reference has gone: treat it as not stored.</summary>
    internal bool TryAcquire()
    {
        var seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            var found = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }

        return false;
    }

    /// <summary>Gives a reference back; the last one frees the memory.</summary>
    /// <exception cref="InvalidOperationException">There's none to give back.</exception>
    internal void Release()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left == 0)
            Free();
        else if (left < 0)
            throw new InvalidOperationException("A stored body was released more often than it was acquired.");
    }

    /// <summary>Whether all bytes of <paramref name="range"/> are here.</summary>
    internal abstract bool Covers(ByteRange range);

    /// <summary>A contiguous run of bytes from <paramref name="offset"/>, at most <paramref name="max"/>; empty only where nothing is there (yet).</summary>
    internal abstract ReadOnlyMemory<byte> Read(long offset, int max);

    /// <summary>Bytes of arena memory that this body occupies, waste included.</summary>
    internal abstract long OccupiedBytes { get; }

    /// <summary>Managed memory that this object and its arrays take, in bytes.</summary>
    internal abstract int ManagedBytes { get; }

    /// <summary>Whether some of it lies in a slab that is to be emptied (<see cref="Slab.IsMarked"/>).</summary>
    internal abstract bool IsInMarkedSlab();

    /// <summary>Frees what it holds; called once, when nobody reads any more.</summary>
    protected abstract void Free();
}

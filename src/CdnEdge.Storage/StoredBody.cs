using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>
/// The bytes of a stored representation. Reference-counted: whoever reads holds a reference, so that eviction never
/// takes memory from under a client. The creator starts with one reference.
/// </summary>
internal abstract class StoredBody
{
    /// <summary>Length of the whole representation in bytes; for a growing body, what has arrived so far.</summary>
    internal abstract long Length { get; }

    /// <summary>False once the last reference has gone: treat it as not stored.</summary>
    internal bool TryAcquire() => throw new NotImplementedException();

    /// <summary>Gives a reference back; the last one frees the memory.</summary>
    internal void Release() => throw new NotImplementedException();

    /// <summary>Whether all bytes of <paramref name="range"/> are here.</summary>
    internal abstract bool Covers(ByteRange range);

    /// <summary>A contiguous run of bytes from <paramref name="offset"/>, at most <paramref name="max"/>; empty only where nothing is there (yet).</summary>
    internal abstract ReadOnlyMemory<byte> Read(long offset, int max);

    /// <summary>Bytes of arena memory that this body occupies, waste included.</summary>
    internal abstract long OccupiedBytes { get; }
}

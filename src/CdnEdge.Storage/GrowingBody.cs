using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>
/// A body in arena segments that one writer appends to while any number of readers read what is committed.
/// </summary>
internal sealed class GrowingBody : StoredBody
{
    /// <param name="expectedLength">The length if known, so that the segments fit it; null otherwise.</param>
    internal static GrowingBody Create(SegmentArena arena, long? expectedLength) => throw new NotImplementedException();

    internal override long Length => throw new NotImplementedException();

    /// <summary>Appends a copy; readers see it when the call returns. Single writer.</summary>
    internal void Append(ReadOnlySpan<byte> bytes) => throw new NotImplementedException();

    /// <summary>Space to write into directly; made visible by <see cref="Commit"/>.</summary>
    internal Memory<byte> GetMemory(int sizeHint) => throw new NotImplementedException();

    internal void Commit(int bytes) => throw new NotImplementedException();

    /// <summary>No more bytes: gives back what the last segment didn't need.</summary>
    internal void Seal() => throw new NotImplementedException();

    /// <summary>Frees the segments that lie wholly before <paramref name="offset"/>; nobody may read there any more (read-ahead window of an object too large to store).</summary>
    internal void TrimBefore(long offset) => throw new NotImplementedException();

    internal override bool Covers(ByteRange range) => throw new NotImplementedException();

    internal override ReadOnlyMemory<byte> Read(long offset, int max) => throw new NotImplementedException();

    internal override long OccupiedBytes => throw new NotImplementedException();
}

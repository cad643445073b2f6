using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>Parts of a representation, from 206 responses with the same strong validator (RFC 9111 §3.4).</summary>
internal sealed class PartialBody : StoredBody
{
    /// <summary>Takes over a reference to <paramref name="bytes"/> (sealed), which are the representation's <paramref name="range"/>.</summary>
    internal static PartialBody Create(ByteRange range, long? completeLength, GrowingBody bytes) => throw new NotImplementedException();

    /// <summary>A body with these parts and one more; overlaps are served from the newer. Takes over the reference to <paramref name="bytes"/>, acquires the old parts for itself.</summary>
    internal PartialBody With(ByteRange range, long? completeLength, GrowingBody bytes) => throw new NotImplementedException();

    /// <summary>Length of the whole representation; -1 while no response has told.</summary>
    internal override long Length => throw new NotImplementedException();

    /// <summary>Every byte is here.</summary>
    internal bool IsComplete => throw new NotImplementedException();

    /// <summary>The held ranges, sorted, coalesced.</summary>
    internal IReadOnlyList<ByteRange> Held => throw new NotImplementedException();

    internal override bool Covers(ByteRange range) => throw new NotImplementedException();

    internal override ReadOnlyMemory<byte> Read(long offset, int max) => throw new NotImplementedException();

    internal override long OccupiedBytes => throw new NotImplementedException();
}

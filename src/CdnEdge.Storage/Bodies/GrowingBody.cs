using System.Numerics;
using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>
/// A body in arena segments that one writer appends to while any number of readers read what is committed.
/// </summary>
/// <remarks>
/// Readers take no lock: a committed length is published after the segments that hold its bytes, and a segment list is
/// never changed below it. The list's unused places start at <see cref="long.MaxValue"/>, so that a reader searching a list that
/// is just being filled never chooses them. Writer and <see cref="TrimBefore"/> may be on different threads: both change
/// the list under a lock on this object (a thin lock in its header, no object more).
/// </remarks>
internal sealed class GrowingBody : StoredBody
{
    // Segments begin small, where the length isn't known, and stay small enough for a read-ahead window to be trimmed.
    private const int FirstSegment = 4 * 1024;
    private const int UsualSegment = 64 * 1024;

    private readonly SegmentArena _arena;
    private readonly long _expected;
    private Placed[] _segments = [];
    private int _count;
    private long _capacity;
    private long _length;
    private long _occupied;
    private long _trimmed;
    private bool _sealed;

    private GrowingBody(SegmentArena arena, long expected)
    {
        _arena = arena;
        _expected = expected;
    }

    /// <param name="arena">Where its bytes go.</param>
    /// <param name="expectedLength">The length if known, so that the segments fit it; null otherwise. More or fewer bytes may come.</param>
    internal static GrowingBody Create(SegmentArena arena, long? expectedLength)
    {
        if (expectedLength is { } length)
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(expectedLength));
        return new GrowingBody(arena, expectedLength ?? -1);
    }

    internal override long Length => Volatile.Read(ref _length);

    /// <summary>Appends a copy; readers see it when the call returns. Single writer.</summary>
    /// <exception cref="InvalidOperationException">After <see cref="Seal"/>.</exception>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        ThrowIfSealed();
        while (!bytes.IsEmpty)
        {
            var space = GetMemory(bytes.Length).Span;
            var count = Math.Min(space.Length, bytes.Length);
            bytes[..count].CopyTo(space);
            Commit(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Space to write into directly; made visible by <see cref="Commit"/>. At least a byte; <paramref name="sizeHint"/> is only a hint.</summary>
    /// <exception cref="InvalidOperationException">After <see cref="Seal"/>.</exception>
    internal Memory<byte> GetMemory(int sizeHint)
    {
        ThrowIfSealed();
        if (_length == _capacity)
            Extend(sizeHint);
        lock (this)
        {
            ref readonly var last = ref _segments[_count - 1];
            var used = (int)(_length - last.Start);
            return last.Segment.Slice(used, last.Segment.Length - used);
        }
    }

    /// <summary>Makes <paramref name="bytes"/> of what was written into <see cref="GetMemory"/> visible.</summary>
    /// <exception cref="InvalidOperationException">After <see cref="Seal"/>.</exception>
    internal void Commit(int bytes)
    {
        ThrowIfSealed();
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _capacity - _length);
        Volatile.Write(ref _length, _length + bytes);
    }

    /// <summary>No more bytes: gives back what the last segment didn't need. Once more does nothing.</summary>
    internal void Seal()
    {
        if (_sealed)
            return;
        _sealed = true;
        if (_length == _capacity)
            return;
        lock (this)
        {
            ref var last = ref _segments[_count - 1];
            var used = (int)(_length - last.Start);
            var before = last.Segment;
            if (used > 0)
            {
                // In place: the committed bytes, which are all that readers look at, stay where they are.
                last.Segment = _arena.Shrink(before, used);
                Volatile.Write(ref _occupied, _occupied - before.Length + last.Segment.Length);
            }
            else
            {
                Volatile.Write(ref last.Start, long.MaxValue);
                _count--;
                _arena.Free(before);
                Volatile.Write(ref _occupied, _occupied - before.Length);
            }

            _capacity = _length;
            if (_count < _segments.Length)
                Volatile.Write(ref _segments, _segments.AsSpan(0, _count).ToArray());
        }
    }

    /// <summary>Frees the segments that lie wholly before <paramref name="offset"/>; nobody may read there any more (read-ahead window of an object too large to store).</summary>
    internal void TrimBefore(long offset)
    {
        lock (this)
        {
            offset = Math.Min(offset, Length);
            if (offset <= _trimmed)
                return;
            _trimmed = offset;
            var first = 0;
            while (first < _count && _segments[first].Start + _segments[first].Segment.Length <= offset)
            {
                _arena.Free(_segments[first].Segment);
                Volatile.Write(ref _occupied, _occupied - _segments[first].Segment.Length);
                first++;
            }

            if (first > 0)
                Relist(_segments.AsSpan(first, _count - first), _count - first);
        }
    }

    /// <inheritdoc/>
    internal override bool Covers(ByteRange range) =>
        range.Offset >= Volatile.Read(ref _trimmed) && range.Offset >= 0 && range.End <= Length;

    /// <inheritdoc/>
    internal override ReadOnlyMemory<byte> Read(long offset, int max)
    {
        // Length first: what it covers is in the list that's read after it.
        var available = Volatile.Read(ref _length) - offset;
        if (available <= 0 || max <= 0 || offset < 0)
            return default;
        var segments = Volatile.Read(ref _segments);
        var index = Find(segments, offset);
        if (index < 0)
            return default;
        ref readonly var found = ref segments[index];
        var within = offset - found.Start;
        var run = Math.Min(Math.Min(max, available), found.Segment.Length - within);
        return run <= 0 ? default : found.Segment.Slice((int)within, (int)run);
    }

    /// <inheritdoc/>
    internal override long OccupiedBytes => Volatile.Read(ref _occupied);

    /// <inheritdoc/>
    internal override int ManagedBytes => ManagedSize.GrowingBody + (_segments.Length == 0 ? 0 : ManagedSize.Array(_segments.Length, ManagedSize.PlacedSegment));

    /// <inheritdoc/>
    internal override bool IsInMarkedSlab()
    {
        lock (this)
        {
            foreach (ref readonly var placed in _segments.AsSpan(0, _count))
            {
                if (placed.Segment.Slab.IsMarked)
                    return true;
            }

            return false;
        }
    }

    /// <inheritdoc/>
    protected override void Free()
    {
        lock (this)
        {
            for (var i = 0; i < _count; i++)
                _arena.Free(_segments[i].Segment);
            _count = 0;
            _segments = [];
            Volatile.Write(ref _occupied, 0);
            _sealed = true;
        }
    }

    // The last segment that starts at or before the offset.
    private static int Find(Placed[] segments, long offset)
    {
        var low = 0;
        var high = segments.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (Volatile.Read(ref segments[middle].Start) <= offset)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return high;
    }

    private void Extend(int sizeHint)
    {
        var segment = _arena.Allocate(NextSize(sizeHint));
        lock (this)
        {
            if (_count == _segments.Length)
                Relist(_segments.AsSpan(0, _count), _count == 0 ? 1 : _count * 2);
            ref var place = ref _segments[_count];
            place.Segment = segment;
            Volatile.Write(ref place.Start, _capacity);
            _count++;
            _capacity += segment.Length;
            Volatile.Write(ref _occupied, _occupied + segment.Length);
        }
    }

    private int NextSize(int sizeHint)
    {
        // A body of many mebibytes takes longer segments, so that its list stays short and off the large-object heap;
        // not one of which only a window is kept.
        var longest = Volatile.Read(ref _trimmed) > 0
            ? UsualSegment
            : (int)Math.Clamp((long)BitOperations.RoundUpToPowerOf2((ulong)_capacity / 16), UsualSegment, SegmentArena.MaxSegmentBytes);
        if (_expected > _capacity)
            return (int)Math.Min(longest, _expected - _capacity);

        // All that was expected is here: most likely the writer only looks for the end.
        if (_expected == _capacity)
            return Slab.UnitBytes;
        return (int)Math.Clamp(Math.Max(_capacity, sizeHint), FirstSegment, longest);
    }

    private void Relist(ReadOnlySpan<Placed> kept, int capacity)
    {
        var list = new Placed[capacity];
        kept.CopyTo(list);
        foreach (ref var place in list.AsSpan(kept.Length))
            place.Start = long.MaxValue;
        Volatile.Write(ref _segments, list);
        _count = kept.Length;
    }

    private void ThrowIfSealed()
    {
        if (_sealed)
            throw new InvalidOperationException("The body is sealed: nothing more can be written to it.");
    }

    private struct Placed
    {
        internal long Start;
        internal Segment Segment;
    }
}

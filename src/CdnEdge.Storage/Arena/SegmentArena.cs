using System.Numerics;

namespace CdnEdge.Storage;

/// <summary>
/// Pooled segments for bodies, in native slabs outside the managed heap: no array per body, nothing on the large-object
/// heap, nothing for the collector to move or scan.
/// </summary>
/// <remarks>
/// A segment is the front of a free block that is long enough (<see cref="Slab"/>), in the lowest slab that has one, so
/// that the highest slabs run empty when less is needed; the block's tail is free again at once, so that a segment
/// wastes less than 256 bytes. Where no block is long enough, a new slab is taken while
/// <see cref="ReservedBytes"/> stays within <see cref="Target"/>. Beyond it the longest free block is handed out instead
/// and the body continues in another: as long as bytes are free, fragmentation costs pieces and never memory.
/// One lock guards it all: segments are taken and given back by fills and evictions, never by hits.
/// </remarks>
internal sealed class SegmentArena : IDisposable
{
    /// <summary>The longest segment: a slab.</summary>
    internal const int MaxSegmentBytes = Slab.Bytes;

    // Empty slabs kept for what comes next; more go back to the operating system.
    private const int SparesKept = 2;

    private readonly Lock _gate = new();
    private readonly List<Slab?> _slabs = [];
    private readonly Stack<int> _vacantPlaces = [];
    private readonly SlabsByOrder _free = new();
    private int _spares;
    private bool _disposed;
    private long _reserved;
    private long _occupied;
    private long _target = long.MaxValue;

    /// <summary>Bytes of slabs taken from the operating system.</summary>
    internal long ReservedBytes => Volatile.Read(ref _reserved);

    /// <summary>Bytes in segments handed out.</summary>
    internal long OccupiedBytes => Volatile.Read(ref _occupied);

    /// <summary>How many bytes of slabs to take before filling the gaps. More are taken when nothing at all is free.</summary>
    internal long Target
    {
        get => Volatile.Read(ref _target);
        set => Volatile.Write(ref _target, value);
    }

    /// <summary>
    /// A segment of <paramref name="bytes"/> rounded up to 256, or a shorter one when memory is at its target and no free
    /// block is long enough. At most <see cref="MaxSegmentBytes"/>, never empty. Its content is undefined.
    /// </summary>
    internal Segment Allocate(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        var units = (Math.Min(bytes, MaxSegmentBytes) + Slab.UnitBytes - 1) / Slab.UnitBytes;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var (slab, order) = FindBlock(units);
            units = Math.Min(units, 1 << order);
            if (slab.TakenUnits == 0)
                _spares--;
            var before = slab.FreeOrders;
            var segment = slab.Take(order, units);
            _free.Update(slab.Index, before, slab.FreeOrders);
            Volatile.Write(ref _occupied, _occupied + segment.Length);
            return segment;
        }
    }

    /// <summary>Takes a segment back. Nobody may read it any more.</summary>
    /// <exception cref="InvalidOperationException">It has been freed already.</exception>
    internal void Free(Segment segment) => Return(segment, 0);

    /// <summary>Takes back what <paramref name="segment"/> has beyond its first <paramref name="bytes"/> (rounded up to 256); returns what remains.</summary>
    internal Segment Shrink(Segment segment, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        var kept = (bytes + Slab.UnitBytes - 1) / Slab.UnitBytes;
        if (kept >= segment.Units)
            return segment;
        Return(segment, kept);
        return new Segment(segment.Slab, segment.FirstUnit, kept);
    }

    /// <summary>Marks the <paramref name="count"/> slabs in use with the fewest bytes handed out.</summary>
    internal IReadOnlyList<Slab> MarkEmptiest(int count)
    {
        lock (_gate)
        {
            var slabs = _slabs.OfType<Slab>().Where(static slab => slab.TakenUnits > 0).OrderBy(static slab => slab.TakenUnits).Take(count).ToList();
            foreach (var slab in slabs)
                slab.IsMarked = true;
            return slabs;
        }
    }

    /// <summary>
    /// Gives the empty slabs back. Segments still handed out stay readable: their slabs go with the last of them, or when
    /// nobody refers to them any more.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            foreach (var slab in _slabs.ToArray())
            {
                if (slab?.TakenUnits == 0)
                    Drop(slab);
            }
        }
    }

    private void Return(Segment segment, int keptUnits)
    {
        lock (_gate)
        {
            var slab = segment.Slab;
            var before = slab.FreeOrders;
            slab.Return(segment.FirstUnit + keptUnits, segment.Units - keptUnits);
            _free.Update(slab.Index, before, slab.FreeOrders);
            Volatile.Write(ref _occupied, _occupied - ((long)(segment.Units - keptUnits) * Slab.UnitBytes));
            if (slab.TakenUnits == 0)
            {
                _spares++;
                if (_disposed || _spares > SparesKept || _reserved > Target)
                    Drop(slab);
            }
        }
    }

    private (Slab Slab, int Order) FindBlock(int units)
    {
        var wanted = Slab.OrderOf(units);
        var place = int.MaxValue;
        for (var order = wanted; order < Slab.Orders; order++)
        {
            if (_free.Lowest(order) is >= 0 and var lowest)
                place = Math.Min(place, lowest);
        }

        if (place < int.MaxValue)
        {
            var slab = _slabs[place]!;
            return (slab, BitOperations.TrailingZeroCount(slab.FreeOrders >> wanted << wanted));
        }

        // An unaligned run of free blocks might be long enough too, but nobody looks for it: it's soon a block or taken.
        if (_reserved + Slab.Bytes > Target)
        {
            for (var order = wanted - 1; order >= 0; order--)
            {
                if (_free.Lowest(order) is >= 0 and var lowest)
                    return (_slabs[lowest]!, order);
            }
        }

        return (AddSlab(), Slab.Orders - 1);
    }

    private Slab AddSlab()
    {
        if (!_vacantPlaces.TryPop(out var place))
        {
            place = _slabs.Count;
            _slabs.Add(null);
        }

        var slab = new Slab(place);
        _slabs[place] = slab;
        _spares++;
        _free.Update(place, 0, slab.FreeOrders);
        Volatile.Write(ref _reserved, _reserved + Slab.Bytes);
        return slab;
    }

    private void Drop(Slab slab)
    {
        _spares--;
        _free.Update(slab.Index, slab.FreeOrders, 0);
        _slabs[slab.Index] = null;
        _vacantPlaces.Push(slab.Index);
        Volatile.Write(ref _reserved, _reserved - Slab.Bytes);
        ((IDisposable)slab).Dispose();
    }
}

using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace CdnEdge.Storage;

/// <summary>
/// One mebibyte of native memory, divided by the buddy system into free blocks of 1, 2, 4 ... 4096 units of 256 bytes.
/// What is handed out is a run of any number of units: the front of a block, whose tail becomes free blocks again.
/// Not thread-safe: <see cref="SegmentArena"/> holds its lock around every change.
/// </summary>
internal sealed unsafe class Slab : MemoryManager<byte>
{
    internal const int UnitBytes = 256;
    internal const int Units = 4096;
    internal const int Bytes = Units * UnitBytes;

    /// <summary>Orders 0 (one unit) to 12 (the slab).</summary>
    internal const int Orders = 13;

    private const int TopOrder = Orders - 1;

    // The free blocks as a complete binary tree, one bit a node: the 2^(12-k) blocks of order k begin at bit 2^(12-k).
    private readonly ulong[] _free = new ulong[2 * Units / 64];
    private readonly ushort[] _freeOfOrder = new ushort[Orders];

    // Which units are handed out, to tell a run freed twice from one that's in use.
    private readonly ulong[] _taken = new ulong[Units / 64];

    private byte* _memory;

    internal Slab(int index)
    {
        Index = index;
        _memory = (byte*)NativeMemory.AlignedAlloc(Bytes, 4096);
        SetFree(TopOrder, 0);
    }

#pragma warning disable CA2015 // A span of it is only used by who holds a reference to a body, and so to the slab.
    /// <summary>A slab that nobody refers to any more, neither its arena nor a body, gives its memory back.</summary>
    ~Slab() => Dispose(false);
#pragma warning restore CA2015

    /// <summary>Its place in the arena.</summary>
    internal int Index { get; }

    internal int TakenUnits { get; private set; }

    /// <summary>Chosen to be emptied.</summary>
    internal bool IsMarked { get; set; }

    /// <summary>Bit k is set when there's a free block of order k.</summary>
    internal int FreeOrders { get; private set; }

    /// <summary>The smallest order whose blocks have <paramref name="units"/> units or more.</summary>
    internal static int OrderOf(int units) => BitOperations.Log2((uint)(units - 1) << 1 | 1);

    /// <summary>Takes the lowest free block of <paramref name="order"/>, keeps its first <paramref name="units"/> and frees the rest.</summary>
    internal Segment Take(int order, int units)
    {
        var first = LowestFree(order) << order;
        ClearFree(order, first >> order);
        AddFree(first + units, (1 << order) - units);
        MarkTaken(first, units, taken: true);
        return new Segment(this, first, units);
    }

    /// <exception cref="InvalidOperationException">Some of these units aren't taken.</exception>
    internal void Return(int first, int units)
    {
        MarkTaken(first, units, taken: false);
        AddFree(first, units);
    }

    /// <summary>The bytes from <paramref name="offset"/> as memory: refers to the slab, allocates nothing.</summary>
    internal Memory<byte> Slice(int offset, int length) => CreateMemory(offset, length);

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        return new Span<byte>(_memory, Bytes);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)Bytes, nameof(elementIndex));
        return new MemoryHandle(_memory + elementIndex, pinnable: this);
    }

    public override void Unpin()
    {
        // Native memory doesn't move.
    }

    protected override void Dispose(bool disposing)
    {
        if (_memory is null)
            return;
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    // Cuts the run into the largest aligned blocks and joins each with its buddy as long as that's free too.
    private void AddFree(int first, int units)
    {
        while (units > 0)
        {
            var order = Math.Min(BitOperations.TrailingZeroCount((uint)first | Units), BitOperations.Log2((uint)units));
            var size = 1 << order;
            var block = first >> order;
            var joined = order;
            while (joined < TopOrder && IsFree(joined, block ^ 1))
            {
                ClearFree(joined, block ^ 1);
                block >>= 1;
                joined++;
            }

            SetFree(joined, block);
            first += size;
            units -= size;
        }
    }

    private int LowestFree(int order)
    {
        var start = Units >> order;
        if (start < 64)
        {
            // The six topmost levels share the first word.
            var level = _free[0] >> start & ((1UL << start) - 1);
            return BitOperations.TrailingZeroCount(level);
        }

        for (var word = start / 64; ; word++)
        {
            if (_free[word] != 0)
                return (word * 64) + BitOperations.TrailingZeroCount(_free[word]) - start;
        }
    }

    private bool IsFree(int order, int block)
    {
        var node = (Units >> order) + block;
        return (_free[node / 64] & 1UL << (node % 64)) != 0;
    }

    private void SetFree(int order, int block)
    {
        var node = (Units >> order) + block;
        _free[node / 64] |= 1UL << (node % 64);
        if (_freeOfOrder[order]++ == 0)
            FreeOrders |= 1 << order;
    }

    private void ClearFree(int order, int block)
    {
        var node = (Units >> order) + block;
        _free[node / 64] &= ~(1UL << (node % 64));
        if (--_freeOfOrder[order] == 0)
            FreeOrders &= ~(1 << order);
    }

    private void MarkTaken(int first, int units, bool taken)
    {
        for (int unit = first, end = first + units; unit < end;)
        {
            var bit = unit % 64;
            var count = Math.Min(64 - bit, end - unit);
            var mask = (count == 64 ? ulong.MaxValue : (1UL << count) - 1) << bit;
            ref var word = ref _taken[unit / 64];
            if ((word & mask) != (taken ? 0 : mask))
                throw new InvalidOperationException(taken ? "The free blocks overlap what is handed out." : "This segment isn't handed out: freed twice?");
            word ^= mask;
            unit += count;
        }

        TakenUnits += taken ? units : -units;
    }
}

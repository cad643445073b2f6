using System.Numerics;

namespace CdnEdge.Storage;

/// <summary>Which slabs have a free block of which order. The lowest slab is found first, so that the highest run empty.</summary>
internal sealed class SlabsByOrder
{
    private readonly ulong[][] _slabs = new ulong[Slab.Orders][];

    // No slab below this word has a block of the order.
    private readonly int[] _firstWord = new int[Slab.Orders];

    internal SlabsByOrder() => Array.Fill(_slabs, []);

    /// <summary>Takes note that a slab's free orders changed.</summary>
    internal void Update(int slab, int oldOrders, int newOrders)
    {
        for (var changed = oldOrders ^ newOrders; changed != 0; changed &= changed - 1)
        {
            var order = BitOperations.TrailingZeroCount(changed);
            var word = slab / 64;
            if (word >= _slabs[order].Length)
                Array.Resize(ref _slabs[order], Math.Max(word + 1, _slabs[order].Length * 2));
            _slabs[order][word] ^= 1UL << (slab % 64);
            if ((newOrders & 1 << order) != 0)
                _firstWord[order] = Math.Min(_firstWord[order], word);
        }
    }

    /// <summary>The lowest slab with a free block of <paramref name="order"/>; -1 when there's none.</summary>
    internal int Lowest(int order)
    {
        var words = _slabs[order];
        ref var first = ref _firstWord[order];
        for (; first < words.Length; first++)
        {
            if (words[first] != 0)
                return (first * 64) + BitOperations.TrailingZeroCount(words[first]);
        }

        return -1;
    }
}

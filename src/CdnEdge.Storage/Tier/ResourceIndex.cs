using System.Numerics;

namespace CdnEdge.Storage;

/// <summary>
/// Finds resources by key: an open-addressing hash table that is read without locks or allocations while one writer at a
/// time (under the tier's lock) changes it.
/// </summary>
/// <remarks>
/// A reader goes from the hash's slot on until it meets the key or a slot never used. A slot's resource is published before its tag;
/// a removed one leaves its tag behind, so that nobody stops there, unless the following slot was never used anyway. A
/// larger table is filled aside and published whole: readers of the old one miss at most what is stored meanwhile.
/// The tag only spares reading the resource's memory; the key's exact bytes decide.
/// </remarks>
internal sealed class ResourceIndex
{
    private const int SmallestTable = 64;

    private Slot[] _slots = new Slot[SmallestTable];
    private int _used;

    internal int Count { get; private set; }

    internal int ManagedBytes => ManagedSize.Array(_slots.Length, ManagedSize.IndexSlot);

    internal Resource? Find(UInt128 hash, ReadOnlySpan<byte> bytes)
    {
        var slots = Volatile.Read(ref _slots);
        var tag = TagOf(hash);
        for (var i = (uint)tag; ; i++)
        {
            ref var slot = ref slots[i & (uint)(slots.Length - 1)];
            var found = Volatile.Read(ref slot.Tag);
            if (found == 0)
                return null;
            if (found == tag
                && Volatile.Read(ref slot.Resource) is { } resource
                && resource.Key.Hash == hash
                && resource.Key.Bytes.SequenceEqual(bytes))
                return resource;
        }
    }

    /// <summary>All of them, read without locks: what is stored or removed meanwhile may be among them or not.</summary>
    internal IEnumerable<Resource> All()
    {
        var slots = Volatile.Read(ref _slots);
        for (var i = 0; i < slots.Length; i++)
        {
            if (Volatile.Read(ref slots[i].Resource) is { } resource)
                yield return resource;
        }
    }

    /// <summary>Makes room for one more; true when <see cref="ManagedBytes"/> changed.</summary>
    internal bool Reserve()
    {
        // A quarter stays never used, so that searches end soon.
        if (_used + 1 <= _slots.Length / 4 * 3)
            return false;

        // Half of the new table at most: many removed ones are swept out without growing it.
        var length = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(SmallestTable, (Count + 1) * 2));
        var changed = length != _slots.Length;
        var slots = new Slot[length];
        foreach (ref readonly var slot in _slots.AsSpan())
        {
            if (slot.Resource is not null)
                Place(slots, slot.Tag, slot.Resource);
        }

        _used = Count;
        Volatile.Write(ref _slots, slots);
        return changed;
    }

    /// <summary>Adds one whose key isn't there, after <see cref="Reserve"/>.</summary>
    internal void Add(Resource resource)
    {
        if (Place(_slots, TagOf(resource.Key.Hash), resource))
            _used++;
        Count++;
    }

    internal void Remove(Resource resource)
    {
        var slots = _slots;
        var mask = (uint)(slots.Length - 1);
        var i = (uint)TagOf(resource.Key.Hash);
        while (!ReferenceEquals(slots[i & mask].Resource, resource))
        {
            if (slots[i & mask].Tag == 0)
                throw new InvalidOperationException("The resource isn't in the index.");
            i++;
        }

        Volatile.Write(ref slots[i & mask].Resource, null);
        Count--;
        if (slots[(i + 1) & mask].Tag != 0)
            return;
        for (; slots[i & mask].Tag != 0 && slots[i & mask].Resource is null; i--)
        {
            Volatile.Write(ref slots[i & mask].Tag, 0);
            _used--;
        }
    }

    // True when it took a slot that was never used.
    private static bool Place(Slot[] slots, ulong tag, Resource resource)
    {
        for (var i = (uint)tag; ; i++)
        {
            ref var slot = ref slots[i & (uint)(slots.Length - 1)];
            if (slot.Tag != 0 && slot.Resource is not null)
                continue;
            var fresh = slot.Tag == 0;
            Volatile.Write(ref slot.Resource, resource);
            Volatile.Write(ref slot.Tag, tag);
            return fresh;
        }
    }

    // Never 0, which marks a slot that was never used; the low bits choose the slot.
    private static ulong TagOf(UInt128 hash) => (ulong)hash | 1UL << 63;

    private struct Slot
    {
        internal ulong Tag;
        internal Resource? Resource;
    }
}

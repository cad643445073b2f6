namespace CdnEdge.Storage;

/// <summary>
/// Fingerprints of what recently left the small queue unused: who comes back while still remembered deserves the main queue.
/// </summary>
/// <remarks>
/// A FIFO without links: an entry carries the number of its insertion and counts as forgotten once as many others have come after
/// it as the queue is long. So nothing is ever removed; an insertion overwrites the oldest of its set of four.
/// A mistaken fingerprint (one in 2^30) costs nothing but a place in the wrong queue.
/// </remarks>
internal sealed class GhostQueue
{
    private const int Ways = 4;
    private const int SmallestTable = 64;

    private Entry[] _entries = new Entry[SmallestTable];
    private uint _insertions;

    /// <summary>How many insertions an entry is remembered for.</summary>
    internal int Depth { get; private set; }

    /// <summary>Managed memory it takes.</summary>
    internal int ManagedBytes => ManagedSize.Array(_entries.Length, 8);

    /// <summary>Follows the number of entries in the main queue. The table grows with it and never shrinks.</summary>
    internal void SetDepth(int depth)
    {
        Depth = depth;

        // A quarter more places than entries, so that a full set seldom overwrites one not yet forgotten.
        if (depth + (depth / 4) > _entries.Length)
        {
            var old = _entries;
            _entries = new Entry[old.Length * 2];
            foreach (var entry in old)
            {
                // The set of an entry is its fingerprint's low bits, so that it can be found again in a larger table.
                if (entry.Fingerprint != 0)
                    Store(entry);
            }
        }
    }

    internal void Add(ulong hash)
    {
        _insertions++;
        Store(new Entry(FingerprintOf(hash), _insertions));
    }

    internal bool Contains(ulong hash)
    {
        var fingerprint = FingerprintOf(hash);
        foreach (ref readonly var entry in SetOf(fingerprint))
        {
            // Unsigned: the number of insertions may wrap.
            if (entry.Fingerprint == fingerprint && _insertions - entry.Insertion < (uint)Depth)
                return true;
        }

        return false;
    }

    private void Store(Entry added)
    {
        var set = SetOf(added.Fingerprint);
        var place = 0;
        for (var i = 0; i < Ways; i++)
        {
            if (set[i].Fingerprint == 0 || set[i].Fingerprint == added.Fingerprint)
            {
                place = i;
                break;
            }

            if (_insertions - set[i].Insertion > _insertions - set[place].Insertion)
                place = i;
        }

        set[place] = added;
    }

    private Span<Entry> SetOf(uint fingerprint)
    {
        var sets = (uint)(_entries.Length / Ways);
        return _entries.AsSpan((int)(fingerprint % sets) * Ways, Ways);
    }

    private static uint FingerprintOf(ulong hash) => (uint)(hash >> 32) | 1u << 31;

    private readonly record struct Entry(uint Fingerprint, uint Insertion);
}

namespace CdnEdge.Control;

/// <summary>
/// What this node has put into the log lately, the latest 10,000: to find it before it has been read there, to notice if it's gone, and
/// to put it back.
/// </summary>
internal sealed class AcceptedPurges
{
    private const int MaxCount = 10_000;

    private readonly Lock _gate = new();
    private readonly Queue<(long Id, PurgeEntry Entry)> _order = new();
    private readonly Dictionary<long, PurgeEntry> _byId = [];
    private readonly SortedSet<long> _unread = [];
    private long _newest;
    private long _read;

    /// <summary>The highest position of all that was ever put there.</summary>
    internal long Newest => Volatile.Read(ref _newest);

    internal void Add(long id, PurgeEntry entry)
    {
        lock (_gate)
        {
            _order.Enqueue((id, entry));
            _byId[id] = entry;
            if (_order.Count > MaxCount)
                _byId.Remove(_order.Dequeue().Id);
            if (id > _read)
                _unread.Add(id);
            Volatile.Write(ref _newest, Math.Max(_newest, id));
        }
    }

    /// <summary>Null: it isn't among them.</summary>
    internal PurgeEntry? Find(long id)
    {
        lock (_gate)
            return _byId.GetValueOrDefault(id);
    }

    /// <summary>All purges in the log up to there have been read.</summary>
    internal void Read(long position)
    {
        lock (_gate)
        {
            _read = position;
            while (_unread.Count > 0 && _unread.Min <= position)
                _unread.Remove(_unread.Min);
        }
    }

    /// <summary>Whether one of them should have been read before this entry. To be asked before the entry is noted as read.</summary>
    internal bool Lacks(long before)
    {
        lock (_gate)
            return _unread.Count > 0 && _unread.Min < before;
    }

    /// <summary>Where the log has to reach at least: to the last that was read, or beyond that to the last that was put there.</summary>
    internal long LeastEnd
    {
        get
        {
            lock (_gate)
                return _unread.Count > 0 ? _unread.Max : _read;
        }
    }

    /// <summary>Those between two positions, without either.</summary>
    internal IReadOnlyList<PurgeEntry> Between(long after, long before)
    {
        lock (_gate)
            return [.. _order.Where(one => one.Id > after && one.Id < before).Select(static one => one.Entry)];
    }
}

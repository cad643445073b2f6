namespace CdnEdge.Control;

/// <summary>Where the purges stand in the log that this PoP itself accepted: to count those that another one still lacks.</summary>
internal sealed class OwnPurges(string pop)
{
    /// <summary>So many of the latest are known; of more, only that they are at least so many.</summary>
    internal const int Known = 100_000;

    private readonly Lock _gate = new();
    private readonly List<long> _positions = [];

    internal void Note(PurgeRecord record)
    {
        if (record.IsTraffic || record.Entry is not { } entry || entry.Origin != pop)
            return;
        lock (_gate)
        {
            _positions.Add(record.Id);
            if (_positions.Count >= 2 * Known)
                _positions.RemoveRange(0, Known);
        }
    }

    internal long CountAfter(long position)
    {
        lock (_gate)
        {
            var index = _positions.BinarySearch(position);
            return _positions.Count - (index < 0 ? ~index : index + 1);
        }
    }
}

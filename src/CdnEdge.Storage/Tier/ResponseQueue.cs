namespace CdnEdge.Storage;

/// <summary>The queues of the eviction policy.</summary>
internal enum QueueKind : byte
{
    /// <summary>Not stored.</summary>
    None,
    Small,
    Main,
}

/// <summary>A first-in-first-out queue linked through its responses: no node per entry, removal from the middle.</summary>
internal sealed class ResponseQueue(QueueKind kind)
{
    private StoredResponse? _newest;

    internal StoredResponse? Oldest { get; private set; }
    internal int Count { get; private set; }

    /// <summary>Sum of the charges.</summary>
    internal long Bytes { get; private set; }

    internal void Add(StoredResponse response)
    {
        response.Queue = kind;
        response.Older = _newest;
        response.Newer = null;
        if (_newest is { } newest)
            newest.Newer = response;
        else
            Oldest = response;
        _newest = response;
        Count++;
        Bytes += response.Charge;
    }

    internal void Remove(StoredResponse response)
    {
        if (response.Older is { } older)
            older.Newer = response.Newer;
        else
            Oldest = response.Newer;
        if (response.Newer is { } newer)
            newer.Older = response.Older;
        else
            _newest = response.Older;
        response.Older = null;
        response.Newer = null;
        response.Queue = QueueKind.None;
        Count--;
        Bytes -= response.Charge;
    }

    /// <summary>A member's charge has changed by <paramref name="bytes"/>.</summary>
    internal void Recharge(long bytes) => Bytes += bytes;
}

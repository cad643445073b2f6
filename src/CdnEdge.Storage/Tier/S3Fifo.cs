namespace CdnEdge.Storage;

/// <summary>
/// Which response goes when memory is needed: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for
/// cache eviction", SOSP '23), by bytes.
/// </summary>
/// <remarks>
/// Most objects of a web workload are asked for once. A newcomer therefore enters a <em>small</em> queue with a tenth of
/// the bytes. At its end, who was used more than once while waiting moves on to the <em>main</em> queue; the others leave
/// and only their fingerprints stay, in the <em>ghost</em> queue, which is as long as the main queue has entries. Who
/// comes back while the ghost queue remembers it enters the main queue at once. There, who was used since its last turn
/// goes round again with one use less (at most three are counted), who wasn't leaves. So a scan passes through the
/// small queue and leaves the main queue alone, and a hit is one byte incremented: no list is reordered, no lock taken.
///
/// What differs from the paper, because objects have sizes and are refilled:
/// the small queue gives only while it holds more than its share, so that an object larger than that share can stay until others push it out;
/// a response that replaces another of the same variant takes its queue and its uses over, since a refill says nothing
/// against its popularity; and one search for a victim goes round the main queue at most once.
/// Called under the tier's lock, but for <see cref="StoredResponse.Uses"/>.
/// </remarks>
internal sealed class S3Fifo(long maxBytes)
{
    private const int MaxUses = 3;

    private readonly ResponseQueue _small = new(QueueKind.Small);
    private readonly ResponseQueue _main = new(QueueKind.Main);
    private readonly GhostQueue _ghost = new();
    private readonly long _smallShare = maxBytes / 10;

    internal int Count => _small.Count + _main.Count;

    /// <summary>Managed memory of the ghost queue.</summary>
    internal int ManagedBytes => _ghost.ManagedBytes;

    /// <summary>Counts a use. Lock-free; racing uses may be lost.</summary>
    internal static void Touch(StoredResponse response)
    {
        // Only written until it's full, so that a popular object's cache line isn't passed between cores.
        if (response.Uses < MaxUses)
            response.Uses++;
    }

    /// <param name="response">With its charge.</param>
    /// <param name="hash">Of its key.</param>
    /// <param name="inherited">Queue of the response that it replaces, <see cref="QueueKind.None"/> if there is none.</param>
    internal void Add(StoredResponse response, ulong hash, QueueKind inherited)
    {
        if (inherited == QueueKind.Main || (inherited == QueueKind.None && _ghost.Contains(hash)))
            _main.Add(response);
        else
            _small.Add(response);
        _ghost.SetDepth((int)(Count * 9L / 10));
    }

    internal void Remove(StoredResponse response) => QueueOf(response).Remove(response);

    internal void Recharge(StoredResponse response, long bytes) => QueueOf(response).Recharge(bytes);

    /// <summary>The response to evict, already out of its queue; null when there's none left.</summary>
    internal StoredResponse? TakeVictim() => TakeFromSmall() ?? TakeFromMain() ?? TakeOldest(_small);

    /// <summary>Every response; the queues must not change meanwhile.</summary>
    internal IEnumerable<StoredResponse> All()
    {
        for (var response = _small.Oldest; response is not null; response = response.Newer)
            yield return response;
        for (var response = _main.Oldest; response is not null; response = response.Newer)
            yield return response;
    }

    private StoredResponse? TakeFromSmall()
    {
        while (_small.Bytes > _smallShare && _small.Oldest is { } oldest)
        {
            _small.Remove(oldest);
            if (oldest.Uses <= 1)
            {
                _ghost.Add(HashOf(oldest));
                return oldest;
            }

            oldest.Uses = 0;
            _main.Add(oldest);
        }

        return null;
    }

    private StoredResponse? TakeFromMain()
    {
        for (var turns = _main.Count; turns > 0; turns--)
        {
            var oldest = _main.Oldest!;
            if (oldest.Uses == 0)
                break;
            _main.Remove(oldest);
            oldest.Uses--;
            _main.Add(oldest);
        }

        return TakeOldest(_main);
    }

    private static StoredResponse? TakeOldest(ResponseQueue queue)
    {
        var oldest = queue.Oldest;
        if (oldest is not null)
            queue.Remove(oldest);
        return oldest;
    }

    private ResponseQueue QueueOf(StoredResponse response) => response.Queue == QueueKind.Small ? _small : _main;

    private static ulong HashOf(StoredResponse response) => (ulong)response.Resource!.Key.Hash;
}

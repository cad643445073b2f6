using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>A stored response: head, body and its place in the memory tier.</summary>
internal sealed class StoredResponse
{
    private StoredHead _head;
    private int _revalidating;

    /// <summary>Takes over one reference to <paramref name="body"/>. Null body: none (204, HEAD-only, ...).</summary>
    internal StoredResponse(StoredHead head, StoredBody? body)
    {
        _head = head;
        Body = body;
    }

    /// <summary>Swapped whole by <see cref="MemoryTier.UpdateHead"/> when a validation freshens it.</summary>
    internal StoredHead Head
    {
        get => Volatile.Read(ref _head);
        set => Volatile.Write(ref _head, value);
    }

    internal StoredBody? Body { get; }

    /// <summary>Takes a reference on the body, where there is one; false if it's gone (evicted).</summary>
    internal bool TryAcquireBody() => Body is null || Body.TryAcquire();

    /// <summary>Where the tier keeps it; null when it isn't stored.</summary>
    internal Resource? Resource { get; set; }

    /// <summary>Neighbours in the queue of the eviction policy; changed under the tier's lock.</summary>
    internal StoredResponse? Older { get; set; }
    internal StoredResponse? Newer { get; set; }

    /// <summary>Bytes counted for it: arena and managed memory.</summary>
    internal long Charge { get; set; }

    /// <summary>Bytes of <see cref="Charge"/> that are in the arena.</summary>
    internal long ArenaCharge { get; set; }

    /// <summary>Which queue it stands in.</summary>
    internal QueueKind Queue { get; set; }

    /// <summary>
    /// Uses since it was put into its queue, 0 to 3 (a second-chance clock needs no more). Counted without interlocking:
    /// two hits at once may count as one.
    /// </summary>
    internal byte Uses { get; set; }

    /// <summary>Set by whoever starts a background revalidation, so that there's one at a time; true for the caller that won.</summary>
    internal bool TryBeginRevalidation() => Interlocked.CompareExchange(ref _revalidating, 1, 0) == 0;

    internal void EndRevalidation() => Volatile.Write(ref _revalidating, 0);
}

using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>A stored response: head, body and its place in the memory tier.</summary>
internal sealed class StoredResponse
{
    private StoredHead _head;
    private EncodedBody[] _encoded = [];
    private int _revalidating;

    private long _judgedAt = -1;

    /// <summary>Takes over one reference to <paramref name="body"/>. Null body: none (204, HEAD-only, ...).</summary>
    /// <param name="head">Its head.</param>
    /// <param name="body">Its body.</param>
    /// <param name="epoch">The moment at which its fetch began (<see cref="PurgeEpochs.Now"/>); left out, any purge is newer.</param>
    internal StoredResponse(StoredHead head, StoredBody? body, long epoch = 0)
    {
        _head = head;
        Body = body;
        Epoch = epoch;
    }

    /// <summary>Swapped whole by <see cref="MemoryTier.UpdateHead"/> when a validation freshens it.</summary>
    internal StoredHead Head
    {
        get => Volatile.Read(ref _head);
        set => Volatile.Write(ref _head, value);
    }

    internal StoredBody? Body { get; }

    /// <summary>
    /// The body in other codings, made here: it goes where the body goes. A snapshot, never changed in place; the bodies in it are
    /// the tier's to release.
    /// </summary>
    internal EncodedBody[] Encoded => Volatile.Read(ref _encoded);

    /// <summary>What there is, or was tried, of the body in a coding; null: nothing yet.</summary>
    internal EncodedBody? EncodedIn(string coding)
    {
        foreach (var encoded in Encoded)
        {
            if (encoded.IsIn(coding))
                return encoded;
        }

        return null;
    }

    /// <summary>Takes it on to compress the body to a coding; false where that's done, given up or somebody else's already.</summary>
    internal bool TryBeginEncoding(string coding)
    {
        while (true)
        {
            var seen = Encoded;
            if (EncodedIn(coding) is not null)
                return false;
            if (Interlocked.CompareExchange(ref _encoded, [.. seen, new EncodedBody(coding)], seen) == seen)
                return true;
        }
    }

    /// <summary>What was begun isn't done after all, and may be begun again.</summary>
    internal void EndEncoding(string coding) => Replace(coding, null);

    /// <summary>Puts what came of it in the place of what was begun.</summary>
    internal void Replace(string coding, EncodedBody? encoded)
    {
        while (true)
        {
            var seen = Encoded;
            var others = seen.Where(other => other.Coding != coding);
            if (Interlocked.CompareExchange(ref _encoded, encoded is null ? [.. others] : [.. others, encoded], seen) == seen)
                return;
        }
    }

    /// <summary>The moment at which the fetch, or the latest validation, of it began; changed under the tier's lock.</summary>
    internal long Epoch { get; set; }

    /// <summary>The newest soft purge that its head shows already; changed under the tier's lock.</summary>
    internal long SoftEpoch { get; set; }

    /// <summary>The version of the epochs (<see cref="PurgeEpochs.Version"/>) under which it was last found not to be gone.</summary>
    internal long JudgedAt
    {
        get => Volatile.Read(ref _judgedAt);
        set => Volatile.Write(ref _judgedAt, value);
    }

    /// <summary>Takes a reference on the body, where there is one; false if it's gone (evicted).</summary>
    internal bool TryAcquireBody() => Body is null || Body.TryAcquire();

    /// <summary>Whether some of its bodies lies in a slab that is to be emptied (<see cref="Slab.IsMarked"/>).</summary>
    internal bool IsInMarkedSlab() => Body?.IsInMarkedSlab() == true || Array.Exists(Encoded, static encoded => encoded.Body?.IsInMarkedSlab() == true);

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

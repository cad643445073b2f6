using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>What is stored of one URL: its variants, newest first. Read without locks.</summary>
internal sealed class Resource
{
    internal CacheKey Key => throw new NotImplementedException();

    /// <summary>A snapshot; never changed in place.</summary>
    internal StoredResponse[] Variants => throw new NotImplementedException();
}

/// <summary>A stored response: head, body and its place in the memory tier.</summary>
internal sealed class StoredResponse
{
    /// <summary>Takes over one reference to <paramref name="body"/>. Null body: none (204, HEAD-only, ...).</summary>
    internal StoredResponse(StoredHead head, StoredBody? body) => throw new NotImplementedException();

    /// <summary>Swapped whole by <see cref="MemoryTier.UpdateHead"/> when a validation freshens it.</summary>
    internal StoredHead Head => throw new NotImplementedException();

    internal StoredBody? Body => throw new NotImplementedException();

    /// <summary>Set by whoever starts a background revalidation, so that there's one at a time; true for the caller that won.</summary>
    internal bool TryBeginRevalidation() => throw new NotImplementedException();

    internal void EndRevalidation() => throw new NotImplementedException();
}

/// <summary>
/// The memory tier: bounded by bytes (bodies, heads, keys and bookkeeping), S3-FIFO admission and eviction
/// (Yang et al., SOSP '23). Lookups take no lock and allocate nothing.
/// </summary>
internal sealed class MemoryTier : IDisposable
{
    /// <param name="maxBytes">Bound in bytes.</param>
    internal MemoryTier(long maxBytes, SegmentArena arena) => throw new NotImplementedException();

    internal SegmentArena Arena => throw new NotImplementedException();
    internal long MaxBytes => throw new NotImplementedException();
    internal long UsedBytes => throw new NotImplementedException();
    internal long Count => throw new NotImplementedException();
    internal long Evictions => throw new NotImplementedException();

    internal Resource? Find(in KeyComposer key) => throw new NotImplementedException();
    internal Resource? Find(CacheKey key) => throw new NotImplementedException();

    /// <summary>Counts a use for the eviction policy. Lock-free.</summary>
    internal void Touch(StoredResponse response) => throw new NotImplementedException();

    /// <summary>
    /// Stores; variants that it replaces (<see cref="Variance.IsReplacedBy"/>) go, the oldest beyond <paramref name="maxVariants"/> too.
    /// False: larger than the tier; the caller keeps its reference to the body.
    /// </summary>
    internal bool Put(CacheKey key, StoredResponse response, int maxVariants) => throw new NotImplementedException();

    /// <summary>Swaps a stored response's head; false if it's no longer stored.</summary>
    internal bool UpdateHead(StoredResponse response, StoredHead head) => throw new NotImplementedException();

    /// <summary>Removes one stored response.</summary>
    internal bool Remove(StoredResponse response) => throw new NotImplementedException();

    /// <summary>Removes all variants of a URL.</summary>
    internal bool Remove(CacheKey key) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}

using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Storage;

/// <summary>A tier behind memory, shared with other nodes. It never fails: what it can't do is as if it weren't there.</summary>
internal interface ISecondTier : IAsyncDisposable
{
    /// <summary>Waits a moment for the tier to be there, so that the first requests of a node find it. It may come later as well.</summary>
    Task StartAsync(CancellationToken cancellation);

    /// <summary>What is stored for this request; null where there's nothing that may be used.</summary>
    /// <param name="accepts">Whether a head with the moment at which its fetch began is of use: not purged, fresh enough.</param>
    ValueTask<TierHit?> FindAsync(CacheKey key, CachePolicy policy, IHeaderDictionary requestHeaders, Func<StoredHead, long, bool> accepts, CancellationToken cancellation);

    /// <summary>
    /// As <see cref="FindAsync"/>, and where nothing is stored the right to fetch it for all nodes: one gets it, the others
    /// wait for what that one stores.
    /// </summary>
    /// <param name="patience">The longest wait for another node.</param>
    ValueTask<TierClaim> ClaimAsync(
        CacheKey key, CachePolicy policy, IHeaderDictionary requestHeaders, Func<StoredHead, long, bool> accepts, TimeSpan patience, CancellationToken cancellation);

    /// <summary>Writes a response some time later, or drops it where too many wait; then gives its lease back. Returns at once.</summary>
    void Store(TierEntry entry);

    /// <summary>Removes all that is stored of a URL. False: nothing was; true: something was, or nobody can tell.</summary>
    ValueTask<bool> RemoveAsync(CacheKey key);
}

/// <summary>A response to be written to the second tier.</summary>
/// <param name="Key">Its URL.</param>
/// <param name="Selecting">The selecting key of the request that fetched it (<see cref="Variance.SelectingKey(CachePolicy, IHeaderDictionary)"/>).</param>
/// <param name="Head">Its head.</param>
/// <param name="Body">Its body, whole; the tier takes a reference of its own. Null: none.</param>
/// <param name="Moment">The moment at which its fetch began.</param>
/// <param name="Lease">The lease under which it was fetched, given back when it's written.</param>
internal sealed record TierEntry(CacheKey Key, string Selecting, StoredHead Head, StoredBody? Body, long Moment, ITierLease? Lease = null);

/// <summary>A response found in the second tier. To be disposed of.</summary>
/// <param name="Head">Its head.</param>
/// <param name="Moment">The moment at which its fetch began, on whichever node.</param>
/// <param name="Body">Its body; null: none.</param>
internal sealed record TierHit(StoredHead Head, long Moment, ITierBody? Body) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Body?.DisposeAsync() ?? default;
}

/// <summary>A body that is read while it arrives.</summary>
internal interface ITierBody : IAsyncDisposable
{
    /// <summary>Bytes in all.</summary>
    long Length { get; }

    /// <summary>The next bytes, valid until the next call; empty at the end.</summary>
    /// <exception cref="IOException">The rest can't be had: fetch it elsewhere.</exception>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellation);
}

/// <summary>How a claim ended.</summary>
internal enum TierClaimKind
{
    /// <summary>It's stored: <see cref="TierClaim.Hit"/>.</summary>
    Found,
    /// <summary>Fetch it for all, and store it or say that it can't be stored: <see cref="TierClaim.Lease"/>.</summary>
    Lead,
    /// <summary>Lately it couldn't be stored: fetch it without waiting for anybody.</summary>
    Uncacheable,
    /// <summary>The tier can't tell, or another node took too long: fetch it for this node.</summary>
    Alone,
}

/// <summary>What a claim came to.</summary>
internal readonly record struct TierClaim(TierClaimKind Kind, TierHit? Hit = null, ITierLease? Lease = null);

/// <summary>The right to fetch for all nodes. Held while its holder lives, and given up when it's disposed of.</summary>
internal interface ITierLease : IAsyncDisposable
{
    /// <summary>Gives it up and lets nobody wait for this for a while: the answer couldn't be stored.</summary>
    ValueTask MarkUncacheableAsync(TimeSpan duration);
}

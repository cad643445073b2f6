using System.Diagnostics.CodeAnalysis;
using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>
/// The memory tier: bounded by bytes (bodies, heads, keys and bookkeeping), S3-FIFO admission and eviction
/// (Yang et al., SOSP '23). Lookups take no lock and allocate nothing.
/// </summary>
/// <remarks>
/// <see cref="Find(in KeyComposer)"/> and <see cref="Touch"/> run beside everything; what changes the tier does so under
/// one lock, held for the work of a few microseconds. A reader may find a response that is just leaving: its body's
/// <see cref="StoredBody.TryAcquire"/> says so, and the reader treats it as absent.
/// </remarks>
internal sealed class MemoryTier : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ResourceIndex _index = new();
    private readonly S3Fifo _policy;
    private readonly long _tolerance;
    private int _putsUntilVacating;
    private long _used;
    private long _inArena;
    private long _count;
    private long _evictions;
    private bool _disposed;

    /// <param name="maxBytes">Bound in bytes.</param>
    /// <param name="arena">Where the bodies' bytes are; it's told how much it should take from the operating system.</param>
    internal MemoryTier(long maxBytes, SegmentArena arena)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        MaxBytes = maxBytes;
        Arena = arena;
        _policy = new S3Fifo(maxBytes);

        // At least the arena's spare slabs and the one that's begun.
        _tolerance = Math.Max(3 * Slab.Bytes, maxBytes / 64);
        _used = TableBytes;
        arena.Target = maxBytes - _used;
    }

    internal SegmentArena Arena { get; }

    internal long MaxBytes { get; }

    /// <summary>What was purged when.</summary>
    internal PurgeEpochs Epochs { get; } = new();

    /// <summary>All that is counted: bodies' segments, heads, keys, index, queues. At most <see cref="MaxBytes"/> after each <see cref="Put"/> and <see cref="Attach"/>.</summary>
    internal long UsedBytes => Volatile.Read(ref _used);

    /// <summary>Stored responses, each variant counted.</summary>
    internal long Count => Volatile.Read(ref _count);

    /// <summary>Responses that went for lack of memory since the start.</summary>
    internal long Evictions => Volatile.Read(ref _evictions);

    private int TableBytes => _index.ManagedBytes + _policy.ManagedBytes;

    internal Resource? Find(in KeyComposer key) => _index.Find(key.Hash, key.Bytes);

    internal Resource? Find(CacheKey key) => _index.Find(key.Hash, key.Bytes);

    /// <summary>Every URL of which something is stored; takes no lock, so nothing waits for who looks at them all.</summary>
    internal IEnumerable<Resource> All() => _index.All();

    /// <summary>Counts a use for the eviction policy. Lock-free.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "What a use costs is the policy's affair; callers have a tier.")]
    internal void Touch(StoredResponse response) => S3Fifo.Touch(response);

    /// <summary>
    /// Whether the purges so far leave a response that was found: false, and it's removed, if it's gone. One that they
    /// made stale gets a head that says so. Costs a comparison where nothing was purged since the last time.
    /// </summary>
    internal bool Survives(StoredResponse response, DateTimeOffset now) =>
        response.JudgedAt == Epochs.Version || SurvivesPurges(response, now);

    /// <summary>
    /// Stores; variants that it replaces (<see cref="Variance.IsReplacedBy"/>) go, the oldest beyond <paramref name="maxVariants"/> too.
    /// False: larger than the tier; the caller keeps its reference to the body.
    /// </summary>
    /// <remarks>The body has its final size by now: <see cref="GrowingBody.Seal"/> comes before.</remarks>
    internal bool Put(CacheKey key, StoredResponse response, int maxVariants)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxVariants);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (response.Resource is not null)
                throw new InvalidOperationException("The response is already stored.");
            response.ArenaCharge = response.Body?.OccupiedBytes ?? 0;
            response.Charge = response.ArenaCharge + ManagedBytesOf(response);
            if (response.Charge + ManagedBytesOf(key) + TableBytes > MaxBytes)
                return false;

            var inherited = DropSuperseded(key, response, maxVariants);
            ReserveSlot();
            MakeRoom(response.Charge + ManagedBytesOf(key));
            if (_used + response.Charge + ManagedBytesOf(key) > MaxBytes)
                return false;

            Insert(key, response, inherited);
            MakeRoom(0);
            AdjustTarget();
            VacateSlabs();
            return true;
        }
    }

    /// <summary>
    /// Swaps a stored response's head for the one after a validation; false if it's no longer stored. What was purged after
    /// the validation began counts for the new head too: a soft purge makes it stale from its arrival on.
    /// </summary>
    /// <param name="response">The response.</param>
    /// <param name="head">Its head from now on.</param>
    /// <param name="epoch">The moment at which the validation began; left out, it stays what it was.</param>
    internal bool UpdateHead(StoredResponse response, StoredHead head, long epoch = 0)
    {
        lock (_gate)
        {
            if (response.Resource is null)
                return false;
            if (epoch > response.Epoch)
                response.Epoch = epoch;
            long change = head.ManagedBytes - response.Head.ManagedBytes;
            response.SoftEpoch = 0; // of the old head
            if (!Judge(response, head, head.Freshness.ResponseTime))
                return false;
            response.Charge += change;
            _policy.Recharge(response, change);
            Use(change);
            MakeRoom(0);
            AdjustTarget();
            return true;
        }
    }

    /// <summary>
    /// Gives a stored response its body in another coding, or the word that there won't be one. False: it's no longer stored, or
    /// they don't fit the tier together; the caller keeps its reference to the body.
    /// </summary>
    /// <remarks>The body has its final size by now, as with <see cref="Put"/>.</remarks>
    internal bool Attach(StoredResponse response, EncodedBody encoded)
    {
        lock (_gate)
        {
            var inArena = encoded.Body?.OccupiedBytes ?? 0;
            var change = inArena + encoded.ManagedBytes;
            if (response.Resource is not { } resource || response.Charge + change + ManagedBytesOf(resource.Key) + TableBytes > MaxBytes)
                return false;
            response.Replace(encoded.Coding, encoded);
            response.ArenaCharge += inArena;
            response.Charge += change;
            _inArena += inArena;
            _policy.Recharge(response, change);
            Use(change);
            MakeRoom(0);
            AdjustTarget();
            VacateSlabs();
            return true;
        }
    }

    /// <summary>Removes one stored response.</summary>
    internal bool Remove(StoredResponse response)
    {
        lock (_gate)
        {
            if (response.Resource is null)
                return false;
            _policy.Remove(response);
            Detach(response);
            AdjustTarget();
            return true;
        }
    }

    /// <summary>Removes all variants of a URL.</summary>
    internal bool Remove(CacheKey key)
    {
        lock (_gate)
        {
            if (Find(key) is not { } resource)
                return false;
            foreach (var variant in resource.Variants)
            {
                _policy.Remove(variant);
                Detach(variant);
            }

            AdjustTarget();
            return true;
        }
    }

    /// <summary>Forgets everything. Bodies that somebody still reads stay readable until they are released.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_policy.TakeVictim() is { } response)
                Detach(response);
        }
    }

    private static long ManagedBytesOf(StoredResponse response) =>
        ManagedSize.StoredResponse + ManagedSize.Reference + response.Head.ManagedBytes + (response.Body?.ManagedBytes ?? 0);

    private static long ManagedBytesOf(CacheKey key) =>
        ManagedSize.Resource + ManagedSize.Array(0, ManagedSize.Reference) + key.ManagedBytes;

    private bool SurvivesPurges(StoredResponse response, DateTimeOffset now)
    {
        lock (_gate)
            return response.Resource is not null && Judge(response, response.Head, now);
    }

    // Gives a stored response the head that the purges so far leave of the one given; false, and it's removed, if none. Under
    // the lock: a validation that ends meanwhile would otherwise count as judged.
    private bool Judge(StoredResponse response, StoredHead head, DateTimeOffset now)
    {
        // Before judging: a purge that comes meanwhile makes it be judged again.
        var version = Epochs.Version;
        if (Epochs.Judge(response.Resource!.Key, head.Tags, response.Epoch, out var softEpoch) == PurgeVerdict.Gone)
        {
            _policy.Remove(response);
            Detach(response);
            AdjustTarget();
            return false;
        }

        if (softEpoch > response.SoftEpoch)
        {
            // Once per purge: the windows in which it may be served stale begin once, not with each look.
            response.SoftEpoch = softEpoch;
            head = head.StaleSince(now);
        }

        // The head first: who finds it judged reads the one that was.
        response.Head = head;
        response.JudgedAt = version;
        return true;
    }

    private QueueKind DropSuperseded(CacheKey key, StoredResponse response, int maxVariants)
    {
        var inherited = QueueKind.None;
        if (Find(key) is not { } resource)
            return inherited;
        var left = 1;
        foreach (var variant in resource.Variants)
        {
            var replaced = variant.Head.Variance.IsReplacedBy(response.Head.Variance);
            if (!replaced && ++left <= maxVariants)
                continue;
            if (replaced && inherited != QueueKind.Main)
            {
                inherited = variant.Queue;
                response.Uses = variant.Uses;
            }

            _policy.Remove(variant);
            Detach(variant);
        }

        return inherited;
    }

    private void ReserveSlot()
    {
        var before = TableBytes;
        if (_index.Reserve())
            Use(TableBytes - before);
    }

    private void Insert(CacheKey key, StoredResponse response, QueueKind inherited)
    {
        // Looked up again: making room may have evicted the last of its variants, and with it the resource.
        var resource = Find(key);
        if (resource is null)
        {
            resource = new Resource(key);
            Use(ManagedBytesOf(key));
            resource.Variants = [response];
            _index.Add(resource);
        }
        else
        {
            resource.Variants = [response, .. resource.Variants];
        }

        response.Resource = resource;
        var before = TableBytes;
        _policy.Add(response, (ulong)key.Hash, inherited);
        Use(response.Charge + TableBytes - before);
        _inArena += response.ArenaCharge;
        Volatile.Write(ref _count, _count + 1);
    }

    private void MakeRoom(long bytes)
    {
        while (_used + bytes > MaxBytes && EvictOne())
        {
        }
    }

    // Slabs only go when they are empty. When many small objects with their heads take the place of large bodies, or after a
    // burst of fills, slabs and managed memory together exceed the bound though what is counted doesn't. Then all that
    // lies in the emptiest slabs is evicted: little is lost, since as many bytes have to go anyway. It looks at every
    // stored response, so it waits for a backlog worth it.
    private void VacateSlabs()
    {
        var inFlight = Arena.OccupiedBytes - _inArena;
        var excess = _used - _inArena + Arena.ReservedBytes - inFlight - MaxBytes;
        if (excess <= _tolerance || --_putsUntilVacating > 0)
            return;
        _putsUntilVacating = (int)_count / 8;
        var slabs = Arena.MarkEmptiest((int)(excess / Slab.Bytes));
        foreach (var response in _policy.All().Where(static response => response.IsInMarkedSlab()).ToList())
        {
            _policy.Remove(response);
            Evict(response);
        }

        foreach (var slab in slabs)
            slab.IsMarked = false;
    }

    private bool EvictOne()
    {
        if (_policy.TakeVictim() is not { } victim)
            return false;
        Evict(victim);
        return true;
    }

    private void Evict(StoredResponse victim)
    {
        Detach(victim);
        Volatile.Write(ref _evictions, _evictions + 1);
    }

    // Takes a response that the policy has let go out of the index, and gives the tier's references to its bodies back.
    private void Detach(StoredResponse response)
    {
        var resource = response.Resource!;
        response.Resource = null;
        Use(-response.Charge);
        _inArena -= response.ArenaCharge;
        Volatile.Write(ref _count, _count - 1);
        resource.Variants = resource.Variants is [_] ? [] : [.. resource.Variants.Where(other => !ReferenceEquals(other, response))];
        if (resource.Variants.Length == 0)
        {
            _index.Remove(resource);
            Use(-ManagedBytesOf(resource.Key));
        }

        response.Body?.Release();
        foreach (var encoded in response.Encoded)
            encoded.Body?.Release();
    }

    private void Use(long bytes) => Volatile.Write(ref _used, _used + bytes);

    // What isn't managed memory of the tier is the arena's.
    private void AdjustTarget() => Arena.Target = MaxBytes - (_used - _inArena);
}

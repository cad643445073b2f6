using System.Collections.Concurrent;
using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>
/// When what was last purged. A purge raises the epoch of what it names (a <see cref="PurgeScope"/>) and searches nothing: an
/// object is valid only if no scope that it belongs to has an epoch newer than the moment at which its fetch began.
/// </summary>
/// <remarks>
/// <para>A moment is a position in the log of purges, packed into a number (<see cref="PurgeMoment"/>). A fetch that was
/// under way when a purge came began at an older moment, so what it brings is outdated. Epochs merge by maximum: a purge
/// that is repeated, replayed or comes late does no harm.</para>
/// <para>The latest scopes are remembered one by one, in two generations of <see cref="GenerationSize"/>. Those before them
/// leave a floor: whatever began below it counts as purged, which at worst costs a fetch.</para>
/// </remarks>
internal sealed class PurgeEpochs
{
    /// <summary>Scopes that one generation remembers.</summary>
    internal const int GenerationSize = 131_072;

    private readonly Lock _turning = new();

    private Generations _generations = new(new Generation(), null, 0);
    private long _now;
    private long _trusted;
    private long _version;

    // Bit d: some prefix of d segments was purged; the last bit stands for all deeper ones.
    private long _prefixDepths;
    private bool _areComplete = true;

    /// <summary>
    /// Whether all purges that are known anywhere near are known here. False while a node that has just started reads its
    /// PoP's log: what others stored is not to be trusted until then.
    /// </summary>
    internal bool AreComplete
    {
        get => Volatile.Read(ref _areComplete);
        set => Volatile.Write(ref _areComplete, value);
    }

    /// <summary>
    /// Told of what traffic has made outdated at this node (<see cref="Announce"/>), for those who share a store with it.
    /// </summary>
    internal event Action<UInt128>? Announced;

    /// <summary>Told of each new moment, where somebody wants to know when it was.</summary>
    internal PurgeTimes? Times { get; set; }

    /// <summary>The moment, to be noted when a fetch begins.</summary>
    internal long Now => Volatile.Read(ref _now);

    /// <summary>Changes with every purge: what was judged under this version needn't be judged again.</summary>
    internal long Version => Volatile.Read(ref _version);

    /// <summary>What began before this moment is stale: purges between may have been missed (<see cref="Distrust"/>).</summary>
    internal long TrustedFrom => Volatile.Read(ref _trusted);

    /// <summary>Purges a scope as of <paramref name="at"/>, a position in the log. In any order, as often as you like.</summary>
    internal void Raise(UInt128 scope, PurgeMode mode, long at)
    {
        Write(scope, mode, at);
        Interlocked.Increment(ref _version);
    }

    /// <summary>Purges a path prefix: as <see cref="Raise"/>, for a scope of that many segments.</summary>
    internal void RaisePrefix(ReadOnlySpan<byte> hostAndPath, PurgeMode mode, long at)
    {
        Interlocked.Or(ref _prefixDepths, 1L << Math.Min(hostAndPath.Count((byte)'/'), 63));
        Raise(PurgeScope.OfPrefix(hostAndPath), mode, at);
    }

    /// <summary>A moment of its own, for a purge without a log: what begins from here on is valid.</summary>
    internal long Advance()
    {
        var moment = Interlocked.Increment(ref _now);
        Times?.Record(moment);
        return moment;
    }

    /// <summary>Purges a scope as of now, without a log. The moment: what begins from here on is valid.</summary>
    internal long RaiseNow(UInt128 scope, PurgeMode mode)
    {
        var epoch = Advance();
        Raise(scope, mode, epoch);
        return epoch;
    }

    /// <summary>Tells those who share a store with this node that a scope was purged here, hard (<see cref="RaiseNow"/>).</summary>
    internal void Announce(UInt128 scope) => Announced?.Invoke(scope);

    /// <summary>All purges up to this position in the log are here; never goes back.</summary>
    internal void AdvanceTo(long position)
    {
        if (position <= Now)
            return;
        RaiseTo(ref _now, position);
        Times?.Record(position);
    }

    /// <summary>
    /// Makes everything stale that began before <paramref name="moment"/>: the log has lost what may have been purged.
    /// </summary>
    internal void Distrust(long moment)
    {
        RaiseTo(ref _trusted, moment);
        Interlocked.Increment(ref _version);
    }

    /// <summary>What the purges so far mean for an object whose fetch began at <paramref name="began"/>.</summary>
    /// <param name="key">Its URL.</param>
    /// <param name="tags">Its tags and groups.</param>
    /// <param name="began">The moment.</param>
    /// <param name="softEpoch">Of <see cref="PurgeVerdict.Stale"/>: the newest epoch that made it so; 0 otherwise.</param>
    internal PurgeVerdict Judge(CacheKey key, SurrogateTags tags, long began, out long softEpoch)
    {
        var generations = Volatile.Read(ref _generations);
        softEpoch = 0;
        if (began < generations.Floor)
            return PurgeVerdict.Gone;

        var judging = new Judging(generations, began);
        var bytes = key.Bytes;
        var host = key.Host;
        judging.Consider(PurgeScope.Everything);
        judging.Consider(PurgeScope.OfUrl(bytes));
        judging.Consider(PurgeScope.OfSite(host));
        ConsiderPrefixes(ref judging, bytes, host.Length);
        foreach (var tag in tags.Tags)
            judging.Consider(PurgeScope.OfTag(tag));
        foreach (var group in tags.Groups)
            judging.Consider(PurgeScope.OfGroup(host, group));
        if (judging.IsGone)
            return PurgeVerdict.Gone;

        var trusted = TrustedFrom;
        softEpoch = Math.Max(judging.SoftEpoch, trusted > began ? trusted : 0);
        return softEpoch > 0 ? PurgeVerdict.Stale : PurgeVerdict.Valid;
    }

    private void ConsiderPrefixes(ref Judging judging, ReadOnlySpan<byte> key, int host)
    {
        var depths = (ulong)Volatile.Read(ref _prefixDepths);
        if (depths == 0)
            return;
        var end = host + 1 + key[(host + 1)..].IndexOf(CacheKey.Separator);
        var depth = 0;
        for (var at = host + 1; at < end; at++)
        {
            if (key[at] != (byte)'/')
                continue;
            if ((depths & (1UL << Math.Min(depth, 63))) != 0)
                judging.Consider(PurgeScope.OfPrefix(key[..at]));
            depth++;
        }

        if ((depths & (1UL << Math.Min(depth, 63))) != 0)
            judging.Consider(PurgeScope.OfPrefix(key[..end]));
    }

    private void Write(UInt128 scope, PurgeMode mode, long at)
    {
        var raise = mode == PurgeMode.Hard ? new Raised(at, 0) : new Raised(0, at);
        Generation young;
        do
        {
            young = Volatile.Read(ref _generations).Young;
            young.Raised.AddOrUpdate(
                scope,
                static (_, raised) => raised,
                static (_, before, raised) => new Raised(Math.Max(before.Hard, raised.Hard), Math.Max(before.Soft, raised.Soft)),
                raise);
            RaiseTo(ref young.NewestEpoch, at);
            if (Interlocked.Increment(ref young.Count) > GenerationSize)
                Turn(young);
        }
        while (IsForgotten(young)); // two turns since it was looked up: nobody may have seen what was written
    }

    // Merging by maximum.
    private static void RaiseTo(ref long moment, long value)
    {
        var seen = Volatile.Read(ref moment);
        while (seen < value)
        {
            var found = Interlocked.CompareExchange(ref moment, value, seen);
            if (found == seen)
                return;
            seen = found;
        }
    }

    private bool IsForgotten(Generation generation)
    {
        var generations = Volatile.Read(ref _generations);
        return !ReferenceEquals(generations.Young, generation) && !ReferenceEquals(generations.Old, generation);
    }

    private void Turn(Generation full)
    {
        lock (_turning)
        {
            var generations = _generations;
            if (!ReferenceEquals(generations.Young, full))
                return;

            var floor = generations.Old is { } forgotten ? Math.Max(generations.Floor, Volatile.Read(ref forgotten.NewestEpoch)) : generations.Floor;
            Volatile.Write(ref _generations, new Generations(new Generation(), full, floor));
        }
    }

    private readonly record struct Raised(long Hard, long Soft);

    private sealed record Generations(Generation Young, Generation? Old, long Floor);

    private sealed class Generation
    {
        internal readonly ConcurrentDictionary<UInt128, Raised> Raised = new();
        internal int Count;
        internal long NewestEpoch;
    }

    private ref struct Judging(Generations generations, long began)
    {
        internal bool IsGone { get; private set; }

        internal long SoftEpoch { get; private set; }

        internal void Consider(UInt128 scope)
        {
            Consider(generations.Young, scope);
            if (generations.Old is { } old)
                Consider(old, scope);
        }

        private void Consider(Generation generation, UInt128 scope)
        {
            if (!generation.Raised.TryGetValue(scope, out var raised))
                return;
            if (raised.Hard > began)
                IsGone = true;
            if (raised.Soft > began)
                SoftEpoch = Math.Max(SoftEpoch, raised.Soft);
        }
    }
}

using System.Collections.Concurrent;
using CdnEdge.Caching;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// When each URL was last invalidated, as a number that only grows. A response whose fetch began before its URL's
/// epoch must not be stored: it may show what the origin was before the change (RFC 9111 §4.4).
/// </summary>
/// <remarks>
/// The latest are remembered one by one, in two generations of <see cref="GenerationSize"/>. Those before them leave a
/// floor: whatever began below it counts as outdated, which at worst means that a very slow response isn't stored once.
/// </remarks>
internal sealed class Epochs
{
    /// <summary>Invalidations that one generation remembers.</summary>
    internal const int GenerationSize = 32_768;

    private readonly Lock _turning = new();

    private Generations _generations = new(new Generation(), null, 0);
    private long _current;

    /// <summary>The moment, to be noted when a fetch begins.</summary>
    internal long Now => Volatile.Read(ref _current);

    /// <summary>Raises the epoch of <paramref name="key"/> to the value returned; call before removing what is stored.</summary>
    internal long Raise(CacheKey key)
    {
        var epoch = Interlocked.Increment(ref _current);
        var young = Volatile.Read(ref _generations).Young;

        // Epochs merge by maximum.
        young.ByUrl.AddOrUpdate(key.Hash, static (_, raised) => raised, static (_, before, raised) => Math.Max(before, raised), epoch);
        if (Interlocked.Increment(ref young.Count) > GenerationSize)
        {
            Turn(young);
        }

        return epoch;
    }

    /// <summary>True if <paramref name="key"/> was invalidated after <paramref name="began"/>, or may have been.</summary>
    internal bool IsNewerThan(long began, CacheKey key)
    {
        var generations = Volatile.Read(ref _generations);
        return began < generations.Floor
            || (generations.Young.ByUrl.TryGetValue(key.Hash, out var epoch) && epoch > began)
            || (generations.Old is { } old && old.ByUrl.TryGetValue(key.Hash, out epoch) && epoch > began);
    }

    private void Turn(Generation full)
    {
        lock (_turning)
        {
            var generations = _generations;
            if (!ReferenceEquals(generations.Young, full))
            {
                return;
            }

            // Whoever still writes into the generation that goes took its epoch before: the floor covers it.
            var floor = generations.Old is null ? generations.Floor : Now;
            Volatile.Write(ref _generations, new Generations(new Generation(), full, floor));
        }
    }

    private sealed record Generations(Generation Young, Generation? Old, long Floor);

    private sealed class Generation
    {
        internal readonly ConcurrentDictionary<UInt128, long> ByUrl = new();
        internal int Count;
    }
}

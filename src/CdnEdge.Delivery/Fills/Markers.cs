using System.Collections.Concurrent;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// Short-lived marks of URLs whose last answer couldn't be shared ("hit-for-miss"): their requests don't wait for
/// each other.
/// </summary>
/// <remarks>
/// Bounded, in two generations of <see cref="GenerationSize"/>: when the young one is full, the old one is forgotten
/// whole, which costs no search and at worst a wait.
/// </remarks>
internal sealed class Markers(TimeProvider time)
{
    /// <summary>Marks that one generation holds.</summary>
    internal const int GenerationSize = 32_768;

    private readonly Lock _turning = new();

    private Generations _generations = new(new Generation(), null);

    /// <summary>Marks held, those that have expired among them.</summary>
    internal int Count
    {
        get
        {
            var (young, old) = Volatile.Read(ref _generations);
            return Volatile.Read(ref young.Count) + (old is null ? 0 : Volatile.Read(ref old.Count));
        }
    }

    internal bool IsMarked(FillKey key)
    {
        var (young, old) = Volatile.Read(ref _generations);
        if (!young.Expiry.TryGetValue(key, out var expiry) && old?.Expiry.TryGetValue(key, out expiry) is not true)
        {
            return false;
        }

        if (time.GetTimestamp() < expiry)
        {
            return true;
        }

        Clear(key);
        return false;
    }

    internal void Mark(FillKey key, TimeSpan ttl)
    {
        if (ttl <= TimeSpan.Zero)
        {
            return;
        }

        var expiry = time.GetTimestamp() + (long)(ttl.TotalSeconds * time.TimestampFrequency);
        var (young, _) = Volatile.Read(ref _generations);
        if (!young.Expiry.TryAdd(key, expiry))
        {
            young.Expiry[key] = expiry;
        }
        else if (Interlocked.Increment(ref young.Count) >= GenerationSize)
        {
            Turn(young);
        }
    }

    internal void Clear(FillKey key)
    {
        var (young, old) = Volatile.Read(ref _generations);
        young.Remove(key);
        old?.Remove(key);
    }

    private void Turn(Generation full)
    {
        lock (_turning)
        {
            if (ReferenceEquals(_generations.Young, full))
            {
                Volatile.Write(ref _generations, new Generations(new Generation(), full));
            }
        }
    }

    private sealed record Generations(Generation Young, Generation? Old);

    private sealed class Generation
    {
        internal readonly ConcurrentDictionary<FillKey, long> Expiry = new();
        internal int Count;

        internal void Remove(FillKey key)
        {
            if (Expiry.TryRemove(key, out _))
            {
                Interlocked.Decrement(ref Count);
            }
        }
    }
}

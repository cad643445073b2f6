using System.Collections.Concurrent;
using CdnEdge.Caching;

namespace CdnEdge.Delivery.Fills;

/// <summary>What requests collapse on: URL and the request's values of what it varies by.</summary>
internal readonly record struct FillKey(CacheKey Key, string Selecting);

/// <summary>
/// Short-lived marks of URLs whose last answer couldn't be shared ("hit-for-miss"): their requests don't wait for
/// each other. Bounded: when full, new marks are dropped until old ones expire, which only costs a wait.
/// </summary>
internal sealed class Markers(TimeProvider time)
{
    private const int MaxCount = 65_536;

    private readonly ConcurrentDictionary<FillKey, long> _expiry = new();
    private int _count;

    internal bool IsMarked(FillKey key)
    {
        if (!_expiry.TryGetValue(key, out var expiry))
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

        if (Volatile.Read(ref _count) >= MaxCount)
        {
            Sweep();
            if (Volatile.Read(ref _count) >= MaxCount)
            {
                return;
            }
        }

        var expiry = time.GetTimestamp() + (long)(ttl.TotalSeconds * time.TimestampFrequency);
        if (_expiry.TryAdd(key, expiry))
        {
            Interlocked.Increment(ref _count);
        }
        else
        {
            _expiry[key] = expiry;
        }
    }

    internal void Clear(FillKey key)
    {
        if (_expiry.TryRemove(key, out _))
        {
            Interlocked.Decrement(ref _count);
        }
    }

    private void Sweep()
    {
        var now = time.GetTimestamp();
        foreach (var (key, expiry) in _expiry)
        {
            if (expiry <= now)
            {
                Clear(key);
            }
        }
    }
}

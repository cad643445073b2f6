using System.Threading.RateLimiting;

namespace CdnEdge.Security;

/// <summary>
/// A rate for each of many keys, of which only so many are remembered: when there are more, the one not seen for longest is forgotten. Whoever
/// floods the table with addresses gains no more than the bursts that these addresses have anyway.
/// </summary>
internal sealed class RateTable<TKey>
    where TKey : notnull
{
    private const int Shards = 16;

    private readonly Shard[] _shards;

    /// <param name="options">The rate.</param>
    /// <param name="capacity">Keys remembered, about.</param>
    internal RateTable(RateOptions options, int capacity)
    {
        var bucket = Bucket(options);
        _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard(bucket, Math.Max(1, capacity / Shards)))];
    }

    /// <summary>Keys remembered now.</summary>
    internal int Count => _shards.Sum(static shard => shard.Count);

    /// <summary>Takes a token. Null: there was one; else the time until there's another.</summary>
    internal TimeSpan? Take(TKey key) => _shards[(uint)key.GetHashCode() % Shards].Take(key);

    internal static TokenBucketRateLimiterOptions Bucket(RateOptions options)
    {
        // Refilled when it's asked, by the time since: no timer has to look after a hundred thousand of them.
        var period = TimeSpan.FromSeconds(Math.Max(1 / options.PerSecond, 0.01));
        return new TokenBucketRateLimiterOptions
        {
            AutoReplenishment = false,
            QueueLimit = 0,
            TokenLimit = options.EffectiveBurst,
            ReplenishmentPeriod = period,
            TokensPerPeriod = Math.Max(1, (int)Math.Round(options.PerSecond * period.TotalSeconds)),
        };
    }

    private sealed class Shard(TokenBucketRateLimiterOptions bucket, int capacity)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TokenBucketRateLimiter Limiter)>> _byKey = [];
        private readonly LinkedList<(TKey Key, TokenBucketRateLimiter Limiter)> _byAge = new();

        internal int Count
        {
            get
            {
                lock (_lock)
                    return _byKey.Count;
            }
        }

        internal TimeSpan? Take(TKey key)
        {
            var limiter = Find(key);
            limiter.TryReplenish();
            using var lease = limiter.AttemptAcquire();
            if (lease.IsAcquired)
                return null;
            return lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : bucket.ReplenishmentPeriod;
        }

        private TokenBucketRateLimiter Find(TKey key)
        {
            lock (_lock)
            {
                if (_byKey.TryGetValue(key, out var node))
                {
                    _byAge.Remove(node);
                }
                else
                {
                    if (_byKey.Count >= capacity && _byAge.First is { } oldest)
                    {
                        _byAge.RemoveFirst();
                        _byKey.Remove(oldest.Value.Key);
                    }

                    node = new LinkedListNode<(TKey, TokenBucketRateLimiter)>((key, new TokenBucketRateLimiter(bucket)));
                    _byKey[key] = node;
                }

                _byAge.AddLast(node);
                return node.Value.Limiter;
            }
        }
    }
}

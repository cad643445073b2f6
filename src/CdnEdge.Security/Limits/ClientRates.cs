using System.Threading.RateLimiting;

namespace CdnEdge.Security;

/// <summary>
/// A rate for each of many clients, of whom only so many are remembered: when there are more, the one not seen for longest is forgotten. Whoever
/// floods the table with addresses gains no more than the bursts that these addresses have anyway.
/// </summary>
internal sealed class ClientRates
{
    private const int Shards = 16;

    private readonly Shard[] _shards;

    /// <param name="rate">The rate of each.</param>
    /// <param name="capacity">Clients remembered, about.</param>
    internal ClientRates(RateOptions rate, int capacity)
    {
        var options = Bucket.OptionsFor(rate);
        _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard(options, Math.Max(1, capacity / Shards)))];
    }

    /// <summary>Clients remembered now.</summary>
    internal int Count => _shards.Sum(static shard => shard.Count);

    /// <summary>Takes a token of a client's. Null: there was one; else the time until there's another.</summary>
    internal TimeSpan? Take(ClientNetwork client) => _shards[(uint)client.GetHashCode() % Shards].Find(client).Take();

    private sealed class Shard(TokenBucketRateLimiterOptions options, int capacity)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<ClientNetwork, LinkedListNode<(ClientNetwork Client, Bucket Bucket)>> _byClient = [];
        private readonly LinkedList<(ClientNetwork Client, Bucket Bucket)> _byAge = new();

        internal int Count
        {
            get
            {
                lock (_lock)
                    return _byClient.Count;
            }
        }

        internal Bucket Find(ClientNetwork client)
        {
            lock (_lock)
            {
                if (_byClient.TryGetValue(client, out var node))
                {
                    _byAge.Remove(node);
                }
                else
                {
                    if (_byClient.Count >= capacity && _byAge.First is { } oldest)
                    {
                        _byAge.RemoveFirst();
                        _byClient.Remove(oldest.Value.Client);
                    }

                    node = new LinkedListNode<(ClientNetwork, Bucket)>((client, new Bucket(options)));
                    _byClient[client] = node;
                }

                _byAge.AddLast(node);
                return node.Value.Bucket;
            }
        }
    }
}

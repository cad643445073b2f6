using CdnEdge.Caching;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;

namespace CdnEdge.Delivery.Fills;

/// <summary>The fills under way that others may join: at most one per key.</summary>
internal sealed class FillTable
{
    private const int Stripes = 32;

    private readonly Dictionary<FillKey, Fill>[] _stripes;

    internal FillTable()
    {
        _stripes = new Dictionary<FillKey, Fill>[Stripes];
        for (var i = 0; i < Stripes; i++)
        {
            _stripes[i] = [];
        }
    }

    /// <summary>The fill under way for <paramref name="key"/>, or a new one, begun now, for the caller to run.</summary>
    /// <param name="key">What it fetches.</param>
    /// <param name="epochs">Tell whether one under way was purged.</param>
    /// <param name="created">It's a new one.</param>
    /// <param name="ofTierOnly">Of a new one: upstream won't be asked.</param>
    internal Fill GetOrAdd(FillKey key, PurgeEpochs epochs, out bool created, bool ofTierOnly = false)
    {
        var stripe = StripeOf(key.Key);
        lock (stripe)
        {
            if (stripe.TryGetValue(key, out var fill) && !fill.IsPurged(epochs))
            {
                created = false;
                return fill;
            }

            // One that was purged since it began goes on for those who joined it before.
            fill = new Fill(key, epochs.Now) { IsOfTierOnly = ofTierOnly };
            stripe[key] = fill;
            created = true;
            return fill;
        }
    }

    internal Fill? Find(FillKey key)
    {
        var stripe = StripeOf(key.Key);
        lock (stripe)
        {
            return stripe.GetValueOrDefault(key);
        }
    }

    internal void Remove(Fill fill)
    {
        var stripe = StripeOf(fill.Key.Key);
        lock (stripe)
        {
            if (stripe.TryGetValue(fill.Key, out var current) && ReferenceEquals(current, fill))
            {
                stripe.Remove(fill.Key);
            }
        }
    }

    /// <summary>Fails a fill for those who wait for it; whoever comes next asks anew.</summary>
    internal void Fail(Fill fill, ProxyStatus failure)
    {
        Remove(fill);
        fill.Fail(failure);
    }

    /// <summary>Lets nobody else join the fills of a URL that was invalidated: what they bring may be outdated.</summary>
    /// <returns>There were some.</returns>
    internal bool RemoveAll(CacheKey key)
    {
        var stripe = StripeOf(key);
        lock (stripe)
        {
            var underWay = stripe.Keys.Where(k => k.Key.Equals(key)).ToArray();
            foreach (var fillKey in underWay)
            {
                stripe.Remove(fillKey);
            }

            return underWay.Length > 0;
        }
    }

    private Dictionary<FillKey, Fill> StripeOf(CacheKey key) => _stripes[(int)((ulong)key.Hash % Stripes)];
}

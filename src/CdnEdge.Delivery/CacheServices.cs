using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Routing;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Delivery;

/// <summary>What the parts of a request's way share.</summary>
internal sealed class CacheServices(
    MemoryTier memory,
    PolicyRegistry policies,
    CacheName name,
    CacheMetrics metrics,
    TimeProvider time,
    IServiceProvider provider,
    IEnumerable<ICachePolicySelector> selectors,
    IEnumerable<ICacheKeyContributor> contributors,
    IEnumerable<ICacheStorabilityRule> rules,
    IEnumerable<ICacheObserver> observers,
    ILoggerFactory loggers)
{
    private readonly ICachePolicySelector[] _selectors = [.. selectors];
    private readonly ICacheKeyContributor[] _contributors = [.. contributors];
    private readonly ICacheStorabilityRule[] _rules = [.. rules];
    private readonly ICacheObserver[] _observers = [.. observers];

    internal MemoryTier Memory { get; } = memory;

    internal PolicyRegistry Policies { get; } = policies;

    internal FillTable Fills { get; } = new();

    internal Markers Markers { get; } = new(time);

    internal PurgeEpochs Epochs => Memory.Epochs;

    /// <summary>Held while a part is put together with what is stored: of two that come at once neither may undo the other.</summary>
    internal Lock Combining { get; } = new();

    internal TimeProvider Time { get; } = time;

    internal IServiceProvider Provider { get; } = provider;

    internal ILogger Logger { get; } = loggers.CreateLogger("CdnEdge.Cache");

    /// <summary>This cache's name in Cache-Status, Via and so on.</summary>
    internal string Name { get; } = name.Value;

    internal CachePolicy PolicyOf(HttpContext context, CachedRoute route)
    {
        foreach (var selector in _selectors)
        {
            if (selector.SelectPolicy(context, route.Model) is { } policy)
            {
                return policy;
            }
        }

        return route.Policy;
    }

    /// <summary>What the key is composed of, as the application's contributors leave it.</summary>
    internal CacheKeyParts KeyPartsOf(HttpContext context)
    {
        var request = context.Request;
        var parts = new CacheKeyParts { Host = request.Host, Path = EscapedPath.PathOf(request), Query = request.QueryString };
        foreach (var contributor in _contributors)
        {
            contributor.Contribute(context, ref parts);
        }

        return parts;
    }

    /// <summary>Cache-Status of a hit; negative seconds where it's stale.</summary>
    internal string HitStatus(StoredHead head, DateTimeOffset now) =>
        new CacheStatus { Hit = true, Ttl = (long)Math.Floor(head.Freshness.Remaining(now).TotalSeconds) }.Format(Name);

    /// <summary>Whether the application's rules let a response into the store.</summary>
    internal bool MayStore(CacheKey key, HttpRequest request, int status, IHeaderDictionary headers)
    {
        if (_rules.Length == 0)
        {
            return true;
        }

        var candidate = new CacheCandidate(request.Method, key.ToString(), request.Headers, status, headers);
        foreach (var rule in _rules)
        {
            if (!rule.MayStore(in candidate))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Largest body that <paramref name="policy"/> lets into the store, in bytes.</summary>
    internal long MaxObjectBytesOf(CachePolicy policy) => Math.Min(policy.MaxObjectBytes ?? Memory.MaxBytes / 8, Memory.MaxBytes);

    internal void Serving(HttpContext context, CacheOutcome outcome)
    {
        metrics.Served(outcome);
        foreach (var observer in _observers)
        {
            observer.OnServing(context, outcome);
        }
    }

    /// <summary>Whether what began at <paramref name="epoch"/> was purged since. A null head: as far as the URL tells.</summary>
    internal bool IsPurged(CacheKey key, StoredHead? head, long epoch) =>
        Epochs.Judge(key, head?.Tags ?? SurrogateTags.None, epoch, out _) != PurgeVerdict.Valid;

    /// <summary>
    /// Stores, unless it was purged since the fetch began; if that happens in this very moment, whoever finds it sees it.
    /// Takes over the reference on the response's body in any case.
    /// </summary>
    internal NoStoreReason Store(CacheKey key, StoredResponse response, CachePolicy policy)
    {
        var reason = IsPurged(key, response.Head, response.Epoch) ? NoStoreReason.Invalidated
            : Memory.Put(key, response, policy.MaxVariants) ? NoStoreReason.None
            : NoStoreReason.TooLarge;
        if (reason != NoStoreReason.None)
        {
            response.Body?.Release();
            NotStored(key, reason);
            return reason;
        }

        metrics.Stored();
        if (_observers.Length > 0)
        {
            var url = key.ToString();
            foreach (var observer in _observers)
            {
                observer.OnStored(url, response.Body?.Length ?? 0, response.Head.Freshness.Lifetime);
            }
        }

        return NoStoreReason.None;
    }

    internal void NotStored(CacheKey key, NoStoreReason reason)
    {
        metrics.NotStored(reason);
        foreach (var observer in _observers)
        {
            observer.OnNotStored(key.ToString(), reason);
        }
    }

    /// <summary>Forgets what is stored of a URL, and lets no fetch under way bring it back. The URL's new epoch.</summary>
    internal long Invalidate(CacheKey key)
    {
        var epoch = Epochs.RaiseNow(PurgeScope.OfUrl(key.Bytes), PurgeMode.Hard);
        Fills.RemoveAll(key);
        Memory.Remove(key);
        foreach (var observer in _observers)
        {
            observer.OnInvalidated(key.ToString());
        }

        return epoch;
    }

    /// <summary>Makes everything of the key's site gone that is in a group (RFC 9875 §3).</summary>
    internal void InvalidateGroup(CacheKey key, string group) => Epochs.RaiseNow(PurgeScope.OfGroup(key.Host, group), PurgeMode.Hard);
}

/// <summary>The cache's name, fixed when the application starts: it's in stored heads.</summary>
internal sealed record CacheName(string Value);

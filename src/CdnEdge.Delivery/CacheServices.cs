using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Routing;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Ways;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Model;

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
    Upstreams upstreams,
    Negotiation codings,
    ILoggerFactory loggers,
    ISecondTier? tier = null)
{
    private readonly ICachePolicySelector[] _selectors = [.. selectors];
    private readonly ICacheKeyContributor[] _contributors = [.. contributors];
    private readonly ICacheStorabilityRule[] _rules = [.. rules];
    private readonly ICacheObserver[] _observers = [.. observers];

    internal MemoryTier Memory { get; } = memory;

    internal PolicyRegistry Policies { get; } = policies;

    /// <summary>In which codings what is stored is sent.</summary>
    internal Negotiation Codings { get; } = codings;

    internal FillTable Fills { get; } = new();

    internal Markers Markers { get; } = new(time);

    internal PurgeEpochs Epochs => Memory.Epochs;

    /// <summary>The second tier, if there is one and this node knows what of it was purged.</summary>
    internal ISecondTier? UsableTier => Epochs.AreComplete ? tier : null;

    /// <summary>Held while a part is put together with what is stored: of two that come at once neither may undo the other.</summary>
    internal Lock Combining { get; } = new();

    /// <summary>The sites' own error pages.</summary>
    internal ErrorPages ErrorPages { get; } = new();

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
    /// <param name="head">The stored head.</param>
    /// <param name="now">The present.</param>
    /// <param name="detail">Which tier it comes from, where that isn't memory.</param>
    internal string HitStatus(StoredHead head, DateTimeOffset now, string? detail = null) =>
        new CacheStatus { Hit = true, Ttl = (long)Math.Floor(head.Freshness.Remaining(now).TotalSeconds), Detail = detail }.Format(Name);

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
    /// What upstream is to know of a request that is about to be forwarded in <paramref name="context"/>. It's finished after that.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="key">What the answer would be stored under; null: it can't be, and no other node is asked for it.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="avoid">A destination that has just failed at it.</param>
    internal UpstreamCall BeginCall(HttpContext context, CacheKey? key, CachePolicy policy, DestinationState? avoid = null)
    {
        var call = key is null
            ? new UpstreamCall { Avoid = avoid, Policy = policy }
            : new UpstreamCall
            {
                Policy = policy,
                UsesPeers = true,
                Affinity = key.Affinity,
                Avoid = avoid,
                IsNewEnough = upstreams.HasPeers ? IsNewerThanPurges(key, policy) : null,
            };
        context.Features.Set(call);
        return call;
    }

    private Func<HttpResponseMessage, DateTimeOffset, bool> IsNewerThanPurges(CacheKey key, CachePolicy policy) =>
        (response, fetchedAt) => Epochs.Judge(key, TagsOf(response, policy), MomentAt(fetchedAt), out _) == PurgeVerdict.Valid;

    /// <summary>How the upstreams of a route are; null: YARP has no cluster for it.</summary>
    internal WayHealth? WayOf(CachedRoute route) => upstreams.HealthOf(route.Model);

    /// <summary>The moment at a time by this node's clock: that, or one before it.</summary>
    internal long MomentAt(DateTimeOffset instant) => Epochs.Times?.At(instant) ?? 0;

    private static SurrogateTags TagsOf(HttpResponseMessage response, CachePolicy policy)
    {
        var headers = new HeaderDictionary();
        foreach (var (name, values) in response.Headers.NonValidated)
            headers[name] = new StringValues([.. values]);
        return SurrogateTags.Of(headers, policy);
    }

    /// <summary>
    /// Stores, unless it was purged since the fetch began; if that happens in this very moment, whoever finds it sees it.
    /// Takes over the reference on the response's body in any case.
    /// </summary>
    /// <param name="key">Its URL.</param>
    /// <param name="response">The response.</param>
    /// <param name="policy">Its policy.</param>
    /// <param name="visitor">The fields of the visitor's request that fetched it; null: another node's.</param>
    internal NoStoreReason Store(CacheKey key, StoredResponse response, CachePolicy policy, IHeaderDictionary? visitor)
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
        if (visitor is not null)
        {
            Codings.Prepare(response, policy, visitor);
        }

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

    /// <summary>Gives what was fetched and stored here to the other nodes, in its own time.</summary>
    /// <param name="key">Its URL.</param>
    /// <param name="response">The response.</param>
    /// <param name="policy">Its policy.</param>
    /// <param name="requestHeaders">The fields of the request that fetched it.</param>
    /// <param name="lease">The lease under which it was fetched; null if there was none.</param>
    internal void Share(CacheKey key, StoredResponse response, CachePolicy policy, IHeaderDictionary requestHeaders, ITierLease? lease = null)
    {
        if (UsableTier is { } usable)
        {
            var head = response.Head;
            usable.Store(new TierEntry(key, head.Variance.SelectingKey(policy, requestHeaders), head, response.Body, response.Epoch, lease));
        }
        else
        {
            // It was usable when the lease was taken: nobody is to wait for what won't be stored.
            _ = lease?.DisposeAsync().AsTask();
        }
    }

    /// <summary>Removes a stored response that upstream has shown to be outdated, in both tiers.</summary>
    internal void RemoveOutdated(StoredResponse response)
    {
        if (response.Resource is { Key: var key } && Memory.Remove(response))
        {
            _ = tier?.RemoveAsync(key).AsTask();
        }
    }

    internal void NotStored(CacheKey key, NoStoreReason reason)
    {
        metrics.NotStored(reason);
        foreach (var observer in _observers)
        {
            observer.OnNotStored(key.ToString(), reason);
        }
    }

    /// <summary>
    /// Forgets what is stored of a URL, here and in the second tier, lets no fetch under way bring it back, and tells the nodes that
    /// may have it too. The URL's new epoch.
    /// </summary>
    internal long Invalidate(CacheKey key)
    {
        var scope = PurgeScope.OfUrl(key.Bytes);
        var epoch = Epochs.RaiseNow(scope, PurgeMode.Hard);
        var isKnown = Fills.RemoveAll(key) | Memory.Remove(key);
        if (tier is not null)
        {
            _ = ForgetAsync(tier, key, scope, isKnown);
        }
        else if (isKnown)
        {
            Epochs.Announce(scope);
        }

        foreach (var observer in _observers)
        {
            observer.OnInvalidated(key.ToString());
        }

        return epoch;
    }

    /// <summary>Makes everything of the key's site gone that is in a group (RFC 9875 §3).</summary>
    internal void InvalidateGroup(CacheKey key, string group)
    {
        var scope = PurgeScope.OfGroup(key.Host, group);
        Epochs.RaiseNow(scope, PurgeMode.Hard);
        Epochs.Announce(scope);
    }

    // Of most URLs that are posted to nothing is stored anywhere: the others needn't hear of them.
    private async Task ForgetAsync(ISecondTier from, CacheKey key, UInt128 scope, bool isKnown)
    {
        if (await from.RemoveAsync(key) || isKnown)
        {
            Epochs.Announce(scope);
        }
    }
}

/// <summary>The cache's name, fixed when the application starts: it's in stored heads.</summary>
internal sealed record CacheName(string Value);

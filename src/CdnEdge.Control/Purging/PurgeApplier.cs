using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Control;

/// <summary>Turns what an operator names into scopes, and raises their epochs.</summary>
/// <param name="epochs">This node's.</param>
/// <param name="policies">The policies in use now: a URL has a key under each of them.</param>
internal sealed class PurgeApplier(PurgeEpochs epochs, Func<IReadOnlyCollection<CachePolicy>> policies)
{
    /// <summary>Purges as of <paramref name="at"/>, a position in the log. In any order, as often as you like.</summary>
    internal void Apply(PurgeRequest request, long at) => Apply(request, at, epochs);

    /// <summary>
    /// What a purge would hit of what a node's memory holds now. Looks at every stored response, without holding anybody up.
    /// </summary>
    internal PurgeEstimate Estimate(PurgeRequest request, MemoryTier memory)
    {
        // Judged by the same rules, on epochs that know this purge alone.
        var alone = new PurgeEpochs();
        Apply(request with { Soft = false }, 1, alone);
        long objects = 0;
        long bytes = 0;
        foreach (var resource in memory.All())
        {
            foreach (var response in resource.Variants)
            {
                var tags = response.Head.Tags;
                if (alone.Judge(resource.Key, tags, 0, out _) == PurgeVerdict.Valid
                    || epochs.Judge(resource.Key, tags, response.Epoch, out _) == PurgeVerdict.Gone)
                {
                    continue;
                }

                objects++;
                bytes += response.Charge;
            }
        }

        return new PurgeEstimate(objects, bytes);
    }

    private void Apply(PurgeRequest request, long at, PurgeEpochs to)
    {
        var mode = request.Soft ? PurgeMode.Soft : PurgeMode.Hard;
        if (request.Everything)
            to.Raise(PurgeScope.Everything, mode, at);
        foreach (var tag in request.Tags)
            to.Raise(PurgeScope.OfTag(tag), mode, at);
        if (request.Urls.Count + request.Prefixes.Count + request.Sites.Count == 0)
            return;

        var under = policies();
        foreach (var url in request.Urls)
            ApplyUrl(url, mode, at, to, under);
        foreach (var prefix in request.Prefixes)
            ApplyPrefix(prefix, mode, at, to, under);
        foreach (var site in request.Sites)
            ApplySite(site, mode, at, to, under);
    }

    private static void ApplyUrl(string url, PurgeMode mode, long at, PurgeEpochs to, IReadOnlyCollection<CachePolicy> under)
    {
        if (!PurgeTarget.TryParse(url, out var target))
        {
            to.Distrust(at);
            return;
        }

        Span<byte> scratch = stackalloc byte[512];
        var scopes = new HashSet<UInt128>();
        foreach (var policy in under)
        {
            foreach (var path in target.Paths)
            {
                foreach (var query in target.Queries)
                {
                    using var key = KeyComposer.Compose(policy, target.Host, default, path, query, scratch);
                    scopes.Add(PurgeScope.OfUrl(key.Bytes));
                }
            }
        }

        foreach (var scope in scopes)
            to.Raise(scope, mode, at);
    }

    private static void ApplyPrefix(string prefix, PurgeMode mode, long at, PurgeEpochs to, IReadOnlyCollection<CachePolicy> under)
    {
        if (!PurgeTarget.TryParse(prefix, out var target))
        {
            to.Distrust(at);
            return;
        }

        Span<byte> scratch = stackalloc byte[512];
        foreach (var policy in under)
        {
            foreach (var path in target.Paths)
            {
                using var key = KeyComposer.Compose(policy, target.Host, default, path, default, scratch);
                to.RaisePrefix(key.Bytes[..^1].TrimEnd((byte)'/'), mode, at);
            }
        }
    }

    private static void ApplySite(string site, PurgeMode mode, long at, PurgeEpochs to, IReadOnlyCollection<CachePolicy> under)
    {
        if (!PurgeTarget.TryParse("http://" + site, out var target))
        {
            to.Distrust(at);
            return;
        }

        Span<byte> scratch = stackalloc byte[512];
        foreach (var policy in under)
        {
            using var key = KeyComposer.Compose(policy, target.Host, default, default, default, scratch);
            to.Raise(PurgeScope.OfSite(key.Bytes[..^2]), mode, at);
        }
    }
}

using System.Text;
using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Control;

/// <summary>Turns what an operator names into scopes, and raises their epochs.</summary>
/// <param name="epochs">This node's.</param>
/// <param name="policies">The policies in use now: a URL has a key under each of them, and so has a host with aliases.</param>
internal sealed class PurgeApplier(PurgeEpochs epochs, Func<IEnumerable<CachePolicy>> policies)
{
    /// <summary>Purges as of <paramref name="at"/>, a position in the log. In any order, as often as you like.</summary>
    internal void Apply(PurgeRequest request, long at) => Apply(request, at, epochs);

    /// <summary>Puts an entry of the log in effect; null, one that can't be read: nothing older is trusted.</summary>
    internal void Apply(PurgeEntry? entry, long at)
    {
        if (entry is null or { Distrust: true })
        {
            epochs.Distrust(at);
            return;
        }

        foreach (var scope in entry.EachScope())
            epochs.Raise(scope, PurgeMode.Hard, at);
        Apply(entry.Request, at, epochs);
    }

    /// <summary>Purges as of now, without a log.</summary>
    internal void ApplyNow(PurgeRequest request) => Apply(request, epochs.Advance(), epochs);

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
            ApplyTag(tag, mode, at, to);
        foreach (var url in request.Urls)
        {
            foreach (var key in KeysOf(url, at, to))
                to.Raise(PurgeScope.OfUrl(key.Bytes), mode, at);
        }

        foreach (var prefix in request.Prefixes)
        {
            foreach (var key in KeysOf(prefix, at, to))
                to.RaisePrefix(key.Bytes[..key.Bytes.LastIndexOf(CacheKey.Separator)].TrimEnd((byte)'/'), mode, at);
        }

        foreach (var site in request.Sites)
        {
            foreach (var key in KeysOf($"http://{site}/", at, to))
                to.Raise(PurgeScope.OfSite(key.Host), mode, at);
        }
    }

    private static void ApplyTag(string tag, PurgeMode mode, long at, PurgeEpochs to)
    {
        to.Raise(PurgeScope.OfTag(tag), mode, at);

        // Field values are kept as octets, one for each character. Who writes \u00e9 in JSON may mean its octets in UTF-8.
        if (!Ascii.IsValid(tag))
            to.Raise(PurgeScope.OfTag(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(tag))), mode, at);
    }

    /// <summary>The keys that requests for a URL have. Of one that can't be read nobody knows what it meant: nothing older is trusted.</summary>
    private HashSet<CacheKey> KeysOf(string url, long at, PurgeEpochs to)
    {
        var spellings = PurgeTarget.SpellingsOf(url);
        if (spellings.Count == 0)
            to.Distrust(at);
        return [.. from policy in policies() from spelling in spellings select CacheKey.Of(policy, spelling)];
    }
}

using System.Text;
using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>What a purge reaches, as scopes of the epochs. A URL has a key under each policy, and so has each host with aliases.</summary>
internal sealed class PurgeReach
{
    private readonly HashSet<UInt128> _scopes = [];
    private readonly List<byte[]> _prefixes = [];
    private readonly PurgeMode _mode;

    /// <param name="request">A purge that was checked (<see cref="PurgeReview"/>).</param>
    /// <param name="policies">Those that the node has now.</param>
    internal PurgeReach(PurgeRequest request, IEnumerable<NamedPolicy> policies)
    {
        _mode = request.Soft ? PurgeMode.Soft : PurgeMode.Hard;
        if (request.Everything)
            _scopes.Add(PurgeScope.Everything);
        foreach (var tag in request.Tags)
            AddTag(tag);
        foreach (var (_, policy) in policies)
        {
            foreach (var url in request.Urls)
                _scopes.Add(PurgeScope.OfUrl(CacheKey.Of(policy, PurgeUrl.Verbatim(url)).Bytes));
            foreach (var site in request.Sites)
                _scopes.Add(PurgeScope.OfSite(HostOf(policy, site)));
            foreach (var prefix in request.Prefixes)
                _prefixes.Add(PrefixOf(policy, prefix));
        }
    }

    /// <summary>Purges as of now, without a log.</summary>
    internal long RaiseNow(PurgeEpochs epochs)
    {
        if (_scopes.Count + _prefixes.Count == 0)
            return epochs.Now;

        // The first takes the moment, so that no fetch began at it before; the others are raised to the same.
        var at = epochs.RaiseNow(_scopes.Count > 0 ? _scopes.First() : PurgeScope.OfPrefix(_prefixes[0]), _mode);
        foreach (var scope in _scopes)
            epochs.Raise(scope, _mode, at);
        foreach (var prefix in _prefixes)
            epochs.RaisePrefix(prefix, _mode, at);
        return at;
    }

    private void AddTag(string tag)
    {
        _scopes.Add(PurgeScope.OfTag(tag));

        // Field values are kept as octets, one for each character. Who writes é in JSON may mean its octets in UTF-8.
        if (!Ascii.IsValid(tag))
            _scopes.Add(PurgeScope.OfTag(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(tag))));
    }

    private static byte[] HostOf(CachePolicy policy, string host)
    {
        var key = KeyComposer.Compose(policy, new HostString(host), default, "/", default, stackalloc byte[256]);
        var bytes = key.Bytes[..key.Bytes.IndexOf(CacheKey.Separator)].ToArray();
        key.Dispose();
        return bytes;
    }

    // Host, separator and path, without the slash at the end that makes no difference to what is below.
    private static byte[] PrefixOf(CachePolicy policy, string prefix)
    {
        var bytes = CacheKey.Of(policy, PurgeUrl.Verbatim(prefix)).Bytes;
        var hostAndPath = bytes[..bytes.LastIndexOf(CacheKey.Separator)];
        return (hostAndPath is [.. var withoutSlash, (byte)'/'] ? withoutSlash : hostAndPath).ToArray();
    }
}

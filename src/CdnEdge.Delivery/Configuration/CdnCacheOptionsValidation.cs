using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage.Redis;
using CdnEdge.Upstream.Clusters;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.Peers;

namespace CdnEdge.Delivery.Configuration;

/// <summary>Finds every mistake in the options of the cache, each with its configuration path.</summary>
internal static class CdnCacheOptionsValidation
{
    /// <param name="path">Where the options stand: <c>CdnEdge</c>.</param>
    /// <param name="options">The options.</param>
    /// <param name="availableMemory">Bytes that the process may use (<see cref="MemoryBound.Available"/>).</param>
    /// <param name="providers">Who can compress to which coding.</param>
    internal static IEnumerable<string> Errors(string path, CdnCacheOptions options, long availableMemory, CompressionProviders providers)
    {
        if (!Token.IsToken(options.Name))
            yield return $"{path}:Name: '{options.Name}' is not a token; letters, digits and any of !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2)";

        if (options.Memory.MaxBytes is { } bytes)
        {
            if (bytes < 1)
                yield return $"{path}:Memory:MaxBytes: {bytes} is not a size; at least 1 byte, or leave it out for a quarter of the memory";
            else if (bytes > availableMemory)
                yield return $"{path}:Memory:MaxBytes: {bytes} bytes are more than this process may use ({availableMemory})";
        }

        foreach (var mistake in RedisOptionsValidation.Errors($"{path}:Redis", options.Redis))
            yield return mistake;

        foreach (var mistake in PeeringOptionsValidation.Errors($"{path}:Peering", options.Peering))
            yield return mistake;

        for (var i = 0; i < options.Forwarding.TrustedProxies.Count; i++)
        {
            if (AddressList.MistakeIn(options.Forwarding.TrustedProxies[i]) is { } mistake)
                yield return $"{path}:Forwarding:TrustedProxies:{i}: {mistake}";
        }

        for (var i = 0; i < options.Forwarding.RemoveHeaders.Count; i++)
        {
            if (!Token.IsToken(options.Forwarding.RemoveHeaders[i]))
                yield return $"{path}:Forwarding:RemoveHeaders:{i}: '{options.Forwarding.RemoveHeaders[i]}' is not the name of a request header; a token such as X-Original-URL";
        }

        if (options.Forwarding.MaxFieldBytes is < 256 or > 32_768)
            yield return $"{path}:Forwarding:MaxFieldBytes: {options.Forwarding.MaxFieldBytes} is not a length; 256 to 32768 bytes, as the origins take them";

        foreach (var mistake in ClusterOptionsValidation.Errors($"{path}:Clusters", options.Clusters, options.Peering.Key is not null))
            yield return mistake;

        foreach (var (name, policy) in options.Policies)
        {
            foreach (var mistake in CachePolicyValidation.Errors($"{path}:Policies:{name}", policy))
                yield return mistake;
            if (policy.ErrorPage is { } page && ErrorPages.MistakeIn(page) is { } inPage)
                yield return $"{path}:Policies:{name}:ErrorPage: {inPage}";
            foreach (var mistake in UnknownCodings($"{path}:Policies:{name}:Compression:Encodings", policy, providers))
                yield return mistake;
        }
    }

    private static IEnumerable<string> UnknownCodings(string path, CachePolicy policy, CompressionProviders providers)
    {
        var codings = policy.Compression?.Encodings ?? [];
        for (var i = 0; i < codings.Count; i++)
        {
            if (codings[i] is { } coding && CompressionPolicyValidation.IsCoding(coding) && !providers.Has(coding))
                yield return $"{path}:{i}: '{coding}' is a coding that nothing here can compress to; {string.Join(", ", providers.Codings.Order(StringComparer.Ordinal))}";
        }
    }
}

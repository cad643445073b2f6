using System.IO.Hashing;
using System.Text;

namespace CdnEdge.Caching;

/// <summary>
/// What a purge can name, as 128-bit hashes: a URL, a path prefix, a site, a tag, a group, everything.
/// </summary>
/// <remarks>
/// The hashes have no seed of the process's, for equal names must be equal on every node and in Redis. Two names with the
/// same hash would be purged together, which costs a fetch and never serves anything wrong.
/// </remarks>
internal static class PurgeScope
{
    private const long UrlSeed = 1;
    private const long PrefixSeed = 2;
    private const long SiteSeed = 3;
    private const long TagSeed = 4;
    private const long GroupSeed = 5;

    /// <summary>Every object of every site.</summary>
    internal static UInt128 Everything => UInt128.One;

    /// <summary>All variants of a URL.</summary>
    /// <param name="key">The bytes of its <see cref="CacheKey"/>.</param>
    internal static UInt128 OfUrl(ReadOnlySpan<byte> key) => XxHash128.HashToUInt128(key, UrlSeed);

    /// <summary>All URLs of a site.</summary>
    /// <param name="host">In canonical form, as keys have it.</param>
    internal static UInt128 OfSite(ReadOnlySpan<byte> host) => XxHash128.HashToUInt128(host, SiteSeed);

    /// <summary>
    /// A path and all that is below it, whatever their queries: <c>/a/b</c> covers <c>/a/b</c> and <c>/a/b/c</c>, not <c>/a/bc</c>.
    /// </summary>
    /// <param name="hostAndPath">Host, <see cref="CacheKey.Separator"/> and path, without a slash at the end.</param>
    internal static UInt128 OfPrefix(ReadOnlySpan<byte> hostAndPath) => XxHash128.HashToUInt128(hostAndPath, PrefixSeed);

    /// <summary>All objects with a tag (a surrogate key), of whichever site.</summary>
    /// <param name="tag">The tag; upper and lower case differ.</param>
    internal static UInt128 OfTag(string tag) => OfText(tag, TagSeed);

    /// <summary>All objects of a site that are in a group (RFC 9875 §2).</summary>
    /// <param name="host">In canonical form, as keys have it.</param>
    /// <param name="group">The group's name.</param>
    internal static UInt128 OfGroup(ReadOnlySpan<byte> host, string group) => OfSite(host) ^ OfText(group, GroupSeed);

    private static UInt128 OfText(string text, long seed)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = most <= 512 ? stackalloc byte[most] : new byte[most];
        return XxHash128.HashToUInt128(bytes[..Encoding.UTF8.GetBytes(text, bytes)], seed);
    }
}

using System.IO.Hashing;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// The primary cache key: canonical host, path and the query as the policy composes it; scheme-less, method-less.
/// Equality compares the exact bytes, the 128-bit hash only finds the bucket: a collision never serves another URL's body.
/// </summary>
/// <remarks>
/// The policy's headers and cookies aren't in it but in the <see cref="Variance"/>, so that one key covers all variants
/// of a URL and to invalidate the key is to invalidate them all.
/// </remarks>
internal sealed class CacheKey : IEquatable<CacheKey>
{
    /// <summary>Stands between host, path and query: never part of UTF-8.</summary>
    internal const byte Separator = 0xFF;

    private readonly byte[] _bytes;

    internal CacheKey(ReadOnlySpan<byte> bytes, UInt128 hash)
    {
        _bytes = bytes.ToArray();
        Hash = hash;
    }

    /// <summary>
    /// The key that a request for <paramref name="uri"/> has: for what is named by URI and not by a request, as a Location
    /// to invalidate. A request's own key is composed from the request: a <see cref="Uri"/> respells some escapes.
    /// </summary>
    /// <param name="policy">The policy of the route that answers it.</param>
    /// <param name="uri">An absolute http or https URI.</param>
    internal static CacheKey Of(CachePolicy policy, Uri uri)
    {
        var key = KeyComposer.Compose(policy, new HostString(uri.Authority), default, PathOf(uri.AbsolutePath), new QueryString(uri.Query), stackalloc byte[512]);
        var permanent = key.ToKey();
        key.Dispose();
        return permanent;
    }

    private static PathString PathOf(string path)
    {
        // Nobody decodes a NUL: servers refuse it, so that no request has such a key, whatever it is.
        if (path.Contains("%00", StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal))
            return new PathString(path);

        // Not the overload for Uri: that decodes %2F, which a server's path keeps.
        var decoded = PathString.FromUriComponent(path);
        return EscapedPath.Of(path, decoded) is { } escaped ? new PathString(escaped) : decoded;
    }

    /// <summary>Seeded per process (hash flooding).</summary>
    internal UInt128 Hash { get; }

    /// <summary>The exact bytes.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The host, in canonical form.</summary>
    internal ReadOnlySpan<byte> Host => Bytes[..Bytes.IndexOf(Separator)];

    /// <summary>The same for this key on every node.</summary>
    internal ulong Affinity => XxHash3.HashToUInt64(_bytes);

    /// <summary>Managed memory taken, in bytes: this object and its array.</summary>
    internal int ManagedBytes =>
        16 + 16 + 8 // header and method table, the hash, the reference
        + 24 + ((_bytes.Length + 7) & ~7); // array header and length, elements

    public bool Equals(CacheKey? other) => other is not null && Hash == other.Hash && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as CacheKey);

    public override int GetHashCode() => unchecked((int)(ulong)Hash);

    /// <summary>Host and target for people: <c>example.org/a?b=c</c>.</summary>
    public override string ToString()
    {
        Span<byte> text = _bytes.ToArray();
        var length = 0;
        foreach (var b in text)
        {
            if (b != Separator)
                text[length++] = b;
        }

        return Encoding.UTF8.GetString(text[..length]);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Text;

namespace CdnEdge.Caching;

/// <summary>What composing keys and variances needs of a <see cref="KeyPolicy"/>, worked out once per policy.</summary>
internal sealed class KeyPlan
{
    private readonly Dictionary<byte[], byte[]>.AlternateLookup<ReadOnlySpan<byte>>? _aliases;
    private readonly byte[][] _names;
    private readonly byte[][] _prefixes;
    private readonly bool _keepsListed;

    internal KeyPlan(KeyPolicy policy)
    {
        KeepsQueryAsSent = policy is { Query: QueryKeyMode.All, SortQuery: false };
        IgnoresQuery = policy.Query is QueryKeyMode.None;
        FiltersQuery = policy.Query is QueryKeyMode.Allow or QueryKeyMode.Deny;
        SortsQuery = policy.SortQuery;
        RewritesQuery = !KeepsQueryAsSent && !policy.ForwardWholeQuery;
        _keepsListed = policy.Query is QueryKeyMode.Allow;
        _names = [.. policy.QueryParameters.Where(static n => !n.EndsWith('*')).Select(Encoding.UTF8.GetBytes)];
        _prefixes = [.. policy.QueryParameters.Where(static n => n.EndsWith('*')).Select(static n => Encoding.UTF8.GetBytes(n[..^1]))];
        Selectors =
        [
            .. policy.Headers.Select(static h => SelectorName.OfHeader(h)).Distinct().Order(),
            .. policy.Cookies.Select(static c => SelectorName.OfCookie(c)).Distinct().Order(),
        ];

        if (policy.HostAliases.Count != 0)
        {
            var aliases = new Dictionary<byte[], byte[]>(BytesComparer.Instance);
            foreach (var (alias, canonical) in policy.HostAliases)
                aliases[Encoding.UTF8.GetBytes(CanonicalHost.Of(alias))] = Encoding.UTF8.GetBytes(CanonicalHost.Of(canonical));
            _aliases = aliases.GetAlternateLookup<ReadOnlySpan<byte>>();
        }
    }

    /// <summary>All of the query, as sent: the common case.</summary>
    internal bool KeepsQueryAsSent { get; }

    /// <summary>The query makes no difference.</summary>
    internal bool IgnoresQuery { get; }

    /// <summary>Parameters are chosen by name.</summary>
    internal bool FiltersQuery { get; }

    /// <summary>Parameters are sorted by name.</summary>
    internal bool SortsQuery { get; }

    /// <summary>The origin is asked with another query than the client's: that of the key.</summary>
    internal bool RewritesQuery { get; }

    /// <summary>The policy's headers and cookies, in an order that doesn't depend on the configuration's.</summary>
    internal SelectorName[] Selectors { get; }

    /// <summary>The host whose cache <paramref name="host"/> (in canonical form) shares.</summary>
    internal bool TryGetCanonicalHost(ReadOnlySpan<byte> host, [NotNullWhen(true)] out byte[]? canonical)
    {
        canonical = null;
        return _aliases is { } aliases && aliases.TryGetValue(host, out canonical);
    }

    /// <summary>Whether the parameter called <paramref name="rawName"/> (still percent-encoded) belongs to the key.</summary>
    internal bool KeepsParameter(ReadOnlySpan<char> rawName) => !FiltersQuery || IsListed(rawName) == _keepsListed;

    private bool IsListed(ReadOnlySpan<char> rawName)
    {
        foreach (var name in _names)
        {
            if (PercentEncoding.DecodedEquals(rawName, name))
                return true;
        }

        foreach (var prefix in _prefixes)
        {
            if (PercentEncoding.DecodedStartsWith(rawName, prefix))
                return true;
        }

        return false;
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        internal static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);
        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());
        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);
        public int GetHashCode(ReadOnlySpan<byte> alternate) => unchecked((int)XxHash3.HashToUInt64(alternate));
        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}

using System.Collections.Frozen;

namespace CdnEdge.Tls;

/// <summary>Which certificate a host gets. Doesn't change: with other certificates there's another one.</summary>
internal sealed class CertificateIndex
{
    internal static readonly CertificateIndex Empty = new([], null, DateTimeOffset.MinValue);

    private readonly FrozenDictionary<string, SiteCertificate> _byName;
    private readonly SiteCertificate? _default;
    private readonly SiteCertificate? _first;

    /// <param name="all">In the order of the configuration.</param>
    /// <param name="defaultHost">The host whose certificate is everybody's (<see cref="TlsOptions.DefaultHost"/>).</param>
    /// <param name="now">The time.</param>
    internal CertificateIndex(IReadOnlyList<SiteCertificate> all, string? defaultHost, DateTimeOffset now)
    {
        All = all;
        var byName = new Dictionary<string, SiteCertificate>(StringComparer.OrdinalIgnoreCase);
        foreach (var certificate in all)
        {
            foreach (var name in certificate.Names)
            {
                if (!byName.TryGetValue(name, out var other) || IsBetter(certificate, other, now))
                    byName[name] = certificate;
            }
        }

        _byName = byName.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _first = all.Count > 0 ? all[0] : null;
        _default = defaultHost is null ? null : ByName(defaultHost);
    }

    private CertificateIndex(SiteCertificate one) =>
        (All, _byName, _default, _first) = ([one], FrozenDictionary<string, SiteCertificate>.Empty, one, one);

    internal IReadOnlyList<SiteCertificate> All { get; }

    /// <summary>One certificate for every host.</summary>
    internal static CertificateIndex OfOne(SiteCertificate one) => new(one);

    /// <summary>The certificate for a host that a client named (SNI); null: there's none, and it should be told so.</summary>
    /// <param name="host">Null or empty: the client named none.</param>
    internal SiteCertificate? Find(string? host) => string.IsNullOrEmpty(host) ? _default ?? _first : ByName(AsciiHost.Of(host.TrimEnd('.'))) ?? _default;

    // RFC 9525 §6.3: a wildcard is the whole first label, and stands for one label.
    private SiteCertificate? ByName(string host)
    {
        if (_byName.TryGetValue(host, out var exact))
            return exact;
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _byName.TryGetValue($"*{host[dot..]}", out var wildcard) ? wildcard : null;
    }

    // Of two for the same name: one that is valid, then the one that is valid for longer.
    private static bool IsBetter(SiteCertificate one, SiteCertificate other, DateTimeOffset now)
    {
        var (isBegun, otherIsBegun) = (one.NotBefore <= now, other.NotBefore <= now);
        return isBegun == otherIsBegun ? one.NotAfter > other.NotAfter : isBegun;
    }
}

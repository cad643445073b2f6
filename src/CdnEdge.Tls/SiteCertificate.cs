using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CdnEdge.Tls;

/// <summary>A certificate with its key and the chain up to the root, as read from its files.</summary>
internal sealed class SiteCertificate
{
    private SiteCertificate(X509Certificate2 certificate, SslStreamCertificateContext context, IReadOnlyList<string> names, CertificateFiles files) =>
        (Certificate, Context, Names, Files) = (certificate, context, names, files);

    internal X509Certificate2 Certificate { get; }

    /// <summary>With the chain: what a handshake takes.</summary>
    internal SslStreamCertificateContext Context { get; }

    /// <summary>The hosts that it is for, in lower case: <c>www.example.org</c>, <c>*.example.org</c>. At least one.</summary>
    internal IReadOnlyList<string> Names { get; }

    internal CertificateFiles Files { get; }

    internal DateTimeOffset NotBefore => new(Certificate.NotBefore.ToUniversalTime(), TimeSpan.Zero);

    internal DateTimeOffset NotAfter => new(Certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);

    /// <summary>
    /// A self-signed certificate for this machine's own names, made for this process: no browser trusts it, but one can try things
    /// out. Valid for 30 days.
    /// </summary>
    internal static SiteCertificate ForDevelopment(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=CdnEdge development", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("*.localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)); // server authentication
        var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(30));
        return new SiteCertificate(certificate, SslStreamCertificateContext.Create(certificate, null, offline: true), NamesOf(certificate), new CertificateFiles());
    }

    /// <summary>Reads a pair.</summary>
    /// <param name="files">Where it is.</param>
    /// <param name="staplesOcsp">Asks the authority now and then whether the certificate was revoked, and sends its answer along (RFC 6066 §8).</param>
    /// <inheritdoc cref="PemFiles.ReadPair" path="/exception"/>
    internal static SiteCertificate Read(CertificateFiles files, bool staplesOcsp)
    {
        var (certificate, chain) = PemFiles.ReadPair(files.Certificate!, files.Key);
        var names = NamesOf(certificate);
        if (names.Count == 0)
            throw new CryptographicException("it names no host (a DNS name or an IP address in its subject alternative names, RFC 9525 §4.1)");
        return new SiteCertificate(certificate, SslStreamCertificateContext.Create(certificate, chain, offline: !staplesOcsp), names, files);
    }

    private static List<string> NamesOf(X509Certificate2 certificate)
    {
        var names = new List<string>();
        foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            names.AddRange(extension.EnumerateDnsNames().Select(static name => name.ToLowerInvariant()));
            names.AddRange(extension.EnumerateIPAddresses().Select(static address => address.ToString()));
        }

        return names;
    }
}

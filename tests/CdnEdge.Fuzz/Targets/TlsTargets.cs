using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Tls;

namespace CdnEdge.Fuzz.Targets;

/// <summary>Certificates and keys as files: half written, of something else, or of an authority with odd habits.</summary>
internal static class TlsTargets
{
    private static readonly ECDsa Key = FixedKey();
    private static readonly string KeyPem = Key.ExportPkcs8PrivateKeyPem();
    private static readonly X509Certificate2 Certificate = Make();

    private static readonly string[] Pem = ["-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n", "-----BEGIN ", "-----END ", "-----", "AAAA", "MIIB", "=", "\n"];

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("pem-pair", Pair) { Words = Pem, Seeds = Pairs, Inputs = 250, FreeBytes = 512 * 1024, BytesPerByte = 500, GrowsLinearly = false },
        new("certificate", Der) { Seeds = static () => [Certificate.RawData], Inputs = 400, FreeBytes = 512 * 1024, BytesPerByte = 500, GrowsLinearly = false },
    ];

    private static int Pair(byte[] input) => Read(input);

    /// <summary>Behind the base64: its own structure, with its own key.</summary>
    private static int Der(byte[] input) => Read(Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE", input) + "\n" + KeyPem));

    private static int Read(byte[] file)
    {
        using var pem = new ScratchFile(file);
        try
        {
            var certificate = SiteCertificate.Read(new CertificateFiles { Certificate = pem.Path }, staplesOcsp: false);
            Claim.Holds(certificate.Names.Count > 0);
            var index = new CertificateIndex([certificate, certificate], certificate.Names[0], Given.Now);
            Claim.Holds(index.Find(null) is not null);
            return 1 + Math.Min(certificate.Names.Count, 8) + (certificate.NotAfter > certificate.NotBefore ? 16 : 0);
        }
        catch (Exception exception) when (PemFiles.IsMistakeInFile(exception))
        {
            return 0;
        }
    }

    private static IEnumerable<byte[]> Pairs()
    {
        var pem = Certificate.ExportCertificatePem();
        yield return Encoding.ASCII.GetBytes($"{pem}\n{KeyPem}\n");
        yield return Encoding.ASCII.GetBytes($"{KeyPem}\n{pem}\n{pem}\n");
    }

    // The same bytes in every run: a certificate isn't asked for its signature here.
    private static X509Certificate2 Make()
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("www.example.org");
        names.AddDnsName("*.example.org");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        var request = new CertificateRequest(new X500DistinguishedName("CN=fuzz"), new PublicKey(Key), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        return request.Create(new X500DistinguishedName("CN=fuzz"), new FixedSignature(), Given.Now.AddDays(-1), Given.Now.AddDays(30), [1]);
    }

    private static ECDsa FixedKey()
    {
        // 3·G of P-256 (RFC 5903 names the curve; the multiple is anybody's).
        var key = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = new byte[32] };
        key.D[31] = 3;
        return ECDsa.Create(key);
    }

    private sealed class FixedSignature : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            using (writer.PushSequence())
                writer.WriteObjectIdentifier("1.2.840.10045.4.3.2"); // ecdsa-with-SHA256
            return writer.Encode();
        }

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];

        protected override PublicKey BuildPublicKey() => new(Key);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>An authority that issues what the tests need, into files.</summary>
internal sealed class CertificateAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly List<X509Certificate2> _issued = [];

    internal CertificateAuthority()
    {
        var request = new CertificateRequest("CN=Authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, critical: true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(60));
    }

    public void Dispose()
    {
        _key.Dispose();
        _certificate.Dispose();
        _issued.ForEach(static one => one.Dispose());
    }

    /// <summary>Puts a self-signed pair into a folder as the tools do, by renaming; the file that curl trusts it by.</summary>
    internal static string WriteSelfSigned(string folder, params string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(hosts[0], key, hosts);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(60));
        var trusted = Path.Combine(folder, $"{Guid.NewGuid():N}.trusted");
        File.WriteAllText(trusted, certificate.ExportCertificatePem());
        Place(folder, hosts[0], certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        return trusted;
    }

    /// <summary>Its own certificate, in a file that no node takes for a site's.</summary>
    internal string WriteCertificate(string folder, string name)
    {
        var file = Path.Combine(folder, $"{name}.trusted");
        File.WriteAllText(file, _certificate.ExportCertificatePem());
        return file;
    }

    /// <summary>A client's certificate and its key.</summary>
    internal (string Certificate, string Key) Issue(string folder, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, key, []);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication)], critical: false));
        var (certificate, keyFile) = (Path.Combine(folder, $"{name}.client"), Path.Combine(folder, $"{name}.clientkey"));
        File.WriteAllText(certificate, Sign(request).ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificate, keyFile);
    }

    /// <summary>A site's pair, with the authority's certificate behind it, into a folder of certificates.</summary>
    internal void Issue(string folder, string name, string[] hosts, OcspResponder responder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, key, hosts);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([responder.Url], null));
        var certificate = Sign(request);
        responder.Vouch(certificate);
        Place(folder, name, certificate.ExportCertificatePem() + "\n" + _certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Its own certificate and its key, for who answers in its name.</summary>
    internal (string Certificate, string Key) WritePair(string folder)
    {
        var key = Path.Combine(folder, "authority.authoritykey");
        File.WriteAllText(key, _key.ExportPkcs8PrivateKeyPem());
        return (WriteCertificate(folder, "authority"), key);
    }

    private X509Certificate2 Sign(CertificateRequest request)
    {
        var certificate = request.Create(_certificate, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30), [1, .. RandomNumberGenerator.GetBytes(8)]);
        _issued.Add(certificate);
        return certificate;
    }

    private static CertificateRequest Request(string name, ECDsa key, string[] hosts)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (hosts.Length > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var host in hosts)
                names.AddDnsName(host);
            request.CertificateExtensions.Add(names.Build());
        }

        return request;
    }

    private static void Place(string folder, string name, string certificate, string key)
    {
        foreach (var (ending, text) in new[] { ("key", key), ("pem", certificate) })
        {
            File.WriteAllText(Path.Combine(folder, "new"), text);
            File.Move(Path.Combine(folder, "new"), Path.Combine(folder, $"{name}.{ending}"), overwrite: true);
        }
    }
}

/// <summary>OpenSSL's OCSP responder. It says of the certificates that were issued before it started that they're good.</summary>
internal sealed class OcspResponder : IAsyncDisposable
{
    private readonly int _port;
    private readonly StringBuilder _index = new();
    private Process? _process;

    internal OcspResponder()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>What its certificates name it by.</summary>
    internal string Url => $"http://127.0.0.1:{_port}";

    internal void Vouch(X509Certificate2 certificate) =>
        _index.Append(CultureInfo.InvariantCulture, $"V\t{certificate.NotAfter.ToUniversalTime():yyMMddHHmmss}Z\t\t{certificate.SerialNumber}\tunknown\t/{certificate.Subject}\n");

    internal async Task StartAsync(CertificateAuthority authority, string folder)
    {
        var index = Path.Combine(folder, "index.txt");
        await File.WriteAllTextAsync(index, _index.ToString(), TestContext.Current.CancellationToken);
        var (certificate, key) = authority.WritePair(folder);
        var start = new ProcessStartInfo("openssl", ["ocsp", "-port", $"{_port}", "-index", index, "-CA", certificate, "-rsigner", certificate, "-rkey", key, "-ndays", "1"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        // Not asked by connecting: it waits for what such a connection never sends.
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = start };
        DataReceivedEventHandler read = (_, line) =>
        {
            if (line.Data?.Contains("waiting for OCSP client connections", StringComparison.Ordinal) == true)
                isReady.TrySetResult();
        };
        _process.OutputDataReceived += read;
        _process.ErrorDataReceived += read;
        _process.Start();
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Deadline.Within(isReady.Task, "the OCSP responder");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not { } process)
            return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The node proves itself to curl, as several sites.</summary>
public sealed class TlsScenarios : IAsyncLifetime
{
    private const string Anywhere = "https://127.0.0.1:0";

    private readonly ScriptedOrigin _origin = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-tls-").FullName;
    private EdgeProcess? _edge;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Each_site_has_its_certificate_and_a_renewed_one_counts_without_a_restart()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        var first = Write("www.example.org");
        Write("www.example.net");
        _edge = await EdgeProcess.Serve(["--origin", _origin.Url], new Dictionary<string, string> { ["CdnEdge__Tls__Folder"] = _folder }, listen: Anywhere);

        Assert.Contains("hello", await Visit("www.example.org", first, page.Path), StringComparison.Ordinal);
        Assert.Contains("HTTP/2 200", await Visit("www.example.org", first, page.Path), StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200", await Visit("www.example.org", first, page.Path, "--http1.1"), StringComparison.Ordinal);
        Assert.DoesNotContain("hello", await Visit("www.example.com", first, page.Path, "-k"), StringComparison.Ordinal); // even to who would take any

        var second = Write("www.example.org");
        await Deadline.Until(async () => (await Visit("www.example.org", second, page.Path)).Contains("hello", StringComparison.Ordinal), "the renewed certificate");

        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Without_a_certificate_there_is_one_for_development_and_the_log_says_so()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        _edge = await EdgeProcess.Serve(["--origin", _origin.Url], listen: Anywhere);

        Assert.Contains("hello", await Curl.Run("-sik", new Uri(_edge.Address, page.Path).ToString()), StringComparison.Ordinal);
        Assert.Contains("self-signed", _edge.Output, StringComparison.Ordinal);
    }

    private Task<string> Visit(string host, string ca, string path, params string[] more) =>
        Curl.Run(["-si", "--cacert", ca, "--resolve", $"{host}:{_edge!.Address.Port}:127.0.0.1", .. more, $"https://{host}:{_edge.Address.Port}{path}"]);

    /// <summary>Writes a self-signed pair into the folder as the tools do, by renaming; the file that curl trusts it by.</summary>
    private string Write(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(60));
        var trusted = Path.Combine(_folder, $"{Guid.NewGuid():N}.trusted");
        File.WriteAllText(trusted, certificate.ExportCertificatePem());
        foreach (var (ending, text) in new[] { ("key", key.ExportPkcs8PrivateKeyPem()), ("pem", certificate.ExportCertificatePem()) })
        {
            File.WriteAllText(Path.Combine(_folder, "new"), text);
            File.Move(Path.Combine(_folder, "new"), Path.Combine(_folder, $"{host}.{ending}"), overwrite: true);
        }

        return trusted;
    }
}

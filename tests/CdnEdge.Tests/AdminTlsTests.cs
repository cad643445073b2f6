using System.Collections;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.Commands;
using CdnEdge.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Tests;

/// <summary>The admin API over TLS, and callers with certificates.</summary>
public sealed class AdminTlsTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdnedge-tls");
    private readonly X509Certificate2 _authority = Authority("ours");
    private WebApplication? _edge;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_certificate_is_as_good_as_a_token_and_no_better_than_its_scopes()
    {
        Issue("ops", "ops.example.org");
        Issue("looker", "looker.example.org");
        await Start();

        Assert.Equal((0, ""), await Run("ops", "purge", "--all"));
        Assert.Equal((0, ""), await Run("looker", "stats"));
        var (code, error) = await Run("looker", "purge", "--all");
        Assert.Equal(2, code);
        Assert.Contains("'looker' lacks the scope purge", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_or_none_at_all_is_refused()
    {
        Issue("stranger", "stranger.example.org");
        await Start();

        foreach (var who in new[] { "stranger", null })
        {
            var (code, error) = await Run(who, "stats");
            Assert.Equal(2, code);
            Assert.StartsWith("cdnedge: 401 ", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_certificate_of_another_authority_or_for_servers_is_refused()
    {
        using var other = Authority("others");
        Issue("forged", "ops.example.org", other);
        Issue("server", "ops.example.org", _authority, usage: "1.3.6.1.5.5.7.3.1");
        await Start();

        foreach (var who in new[] { "forged", "server" })
        {
            var (code, error) = await Run(who, "stats");
            Assert.Equal(1, code);
            Assert.Contains("can't be reached", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_node_that_another_authority_vouches_for_is_not_believed()
    {
        using var other = Authority("others");
        Write("others.pem", other.ExportCertificatePem());
        Issue("ops", "ops.example.org");
        await Start();

        var (code, error) = await RunAt(["stats", "--ca", In("others.pem"), "--certificate", In("ops.pem"), "--key", In("ops.key")]);

        Assert.Equal(1, code);
        Assert.Contains("certificate", error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_token_needs_no_certificate()
    {
        var token = AdminToken.New();
        await Start($$"""{ "cms": { "Hash": "{{AdminToken.HashOf(token)}}", "Scopes": [ "purge" ] } }""");

        Assert.Equal((0, ""), await RunAt(["purge", "--all", "--ca", In("ca.pem"), "--token", token]));
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_up_and_a_half_written_one_is_not()
    {
        await Start();
        var first = await Presented();

        Write("node.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
        Assert.Equal(first, await Presented());

        Issue("node", "127.0.0.1", address: IPAddress.Loopback);
        var second = await Presented();
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData("\"Listen\": \"https://127.0.0.1:0\"", "CdnEdge:Admin:Tls:Certificate: missing")]
    [InlineData("\"Listen\": \"https://127.0.0.1:0\", \"Tls\": { \"Certificate\": \"/nowhere.pem\" }", "CdnEdge:Admin:Tls:Certificate: can't be used")]
    [InlineData("\"Listen\": \"http://127.0.0.1:0\", \"Tls\": { \"Certificate\": \"x.pem\" }", "CdnEdge:Admin:Listen: 'http://127.0.0.1:0' is without TLS")]
    [InlineData("\"Certificates\": { \"a\": { \"CommonName\": \"x\", \"Scopes\": [ \"read\" ] } }", "CdnEdge:Admin:Tls:ClientCa: missing")]
    [InlineData("\"Certificates\": { \"a\": { \"Scopes\": [ \"read\" ] } }", "CdnEdge:Admin:Certificates:a:CommonName: missing")]
    [InlineData("\"Certificates\": { \"a\": { \"CommonName\": \"x\" } }", "CdnEdge:Admin:Certificates:a:Scopes: none")]
    [InlineData("\"Certificates\": { \"a\": { \"CommonName\": \"x\", \"Scopes\": [ \"read\" ] }, \"b\": { \"CommonName\": \"x\", \"Scopes\": [ \"read\" ] } }", "CdnEdge:Admin:Certificates:b:CommonName: 'x' is that of 'a' too")]
    public async Task Mistakes_are_named(string admin, string mistake)
    {
        var reviewed = await Given.ReviewAdmin(Given.WithEdge($"\"Admin\": {{ {admin} }}"));
        Assert.Contains(reviewed.Errors, error => error.StartsWith(mistake, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_PoP_hands_on_its_purges_with_a_certificate()
    {
        Issue("lhr", "ops.example.org");
        await Start(purge: $$""" "Pop": "fra", "LogFile": "{{In("purges.log")}}" """);
        var options = new PurgeOptions
        {
            Pop = "lhr",
            LogFile = In("lhr.log"),
            Peers = [new() { Name = "fra", Url = Address.ToString(), Ca = In("ca.pem"), Certificate = In("lhr.pem"), Key = In("lhr.key") }],
        };
        Assert.Empty(options.Errors("CdnEdge:Purge", hasRedis: false));
        using var client = new HttpClient(options.Peers[0].Handler());

        using var batch = new StringContent("""{ "from": "lhr", "log": "l", "entries": [ { "id": "1-0", "entry": { "origin": "lhr", "request": { "everything": true } } } ] }""");
        using var answer = await client.PostAsync(new Uri(Address, "/purges/replicate"), batch, Stop);

        Assert.Equal("""{"pop":"fra","appended":1}""", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task A_file_that_is_none_is_said_before_anything_is_asked()
    {
        var (code, error) = await RunAt(["stats", "--ca", "/nowhere.pem", "--admin", "https://127.0.0.1:1"], withAddress: false);
        Assert.Equal(2, code);
        Assert.StartsWith("cdnedge: --ca, --certificate, --key: ", error, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
        {
            await _edge.StopAsync(CancellationToken.None);
            await _edge.DisposeAsync();
        }

        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task Start(string tokens = "{}", string purge = "")
    {
        Write("ca.pem", _authority.ExportCertificatePem());
        Issue("node", "127.0.0.1", address: IPAddress.Loopback);
        Write("site.json", Given.WithEdge($$"""
            "Listen": [ "http://127.0.0.1:0" ],
            "Purge": { {{purge}} },
            "Admin": {
              "Listen": "https://127.0.0.1:0",
              "Tokens": {{tokens}},
              "Tls": { "Certificate": "{{In("node.pem")}}", "Key": "{{In("node.key")}}", "ClientCa": "{{In("ca.pem")}}" },
              "Certificates": {
                "ops": { "CommonName": "ops.example.org", "Scopes": [ "read", "purge", "operate" ] },
                "looker": { "CommonName": "looker.example.org", "Scopes": [ "read" ] }
              }
            }
            """));
        _edge = await Running.EdgeAsync(Given.SourceWithAdmin(null, In("site.json")));
    }

    private Uri Address => new(_edge!.Services.GetRequiredService<AdminServer>().Addresses.Single());

    private Task<(int Code, string Error)> Run(string? who, params string[] arguments) => RunAt(
        who is null ? [.. arguments, "--ca", In("ca.pem")] : [.. arguments, "--ca", In("ca.pem"), "--certificate", In($"{who}.pem"), "--key", In($"{who}.key")]);

    private async Task<(int Code, string Error)> RunAt(string[] arguments, bool withAddress = true)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await new CommandLine(output, error, new Hashtable()).RunAsync(withAddress ? [.. arguments, "--admin", Address.ToString()] : arguments);
        return (code, error.ToString());
    }

    /// <summary>The serial number of the certificate that a new connection gets.</summary>
    private async Task<string> Presented()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(Address.Host, Address.Port, Stop);
        await using var tls = new SslStream(socket.GetStream());
        using var handler = AdminHttp.Handler(new AdminClientOptions { Ca = In("ca.pem") });
        handler.SslOptions.TargetHost = "127.0.0.1";
        await tls.AuthenticateAsClientAsync(handler.SslOptions, Stop);
        return tls.RemoteCertificate!.GetSerialNumberString();
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string content) => File.WriteAllText(In(name), content);

    private void Issue(string file, string name, X509Certificate2? by = null, IPAddress? address = null, string? usage = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"O=Example, CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage ?? (address is null ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1"))], critical: false));
        if (address is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(address);
            request.CertificateExtensions.Add(names.Build());
        }

        using var certificate = request.Create(by ?? _authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        Write($"{file}.pem", certificate.ExportCertificatePem());
        Write($"{file}.key", key.ExportPkcs8PrivateKeyPem());
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-2), DateTimeOffset.UtcNow.AddHours(2));
    }
}

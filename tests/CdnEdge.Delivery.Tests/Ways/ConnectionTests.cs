using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.Delivery.Tests.Library;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Clusters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Delivery.Tests.Ways;

/// <summary>How connections to a cluster are made: whom they trust, what they show, which HTTP they speak.</summary>
public sealed class ConnectionTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cdnedge-test");
    private readonly ECDsa _authorityKey = ECDsa.Create();
    private readonly X509Certificate2 _authority;

    public ConnectionTests()
    {
        var request = new CertificateRequest("CN=Test CA", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Of("ca.pem"), _authority.ExportCertificatePem());
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusted_signed_is_refused()
    {
        await using var origin = await TlsOriginAsync(ClientCertificateMode.NoCertificate);
        await using var site = await SiteAsync(origin, new());

        using var answer = await site.SendAsync(HttpMethod.Get, "/a");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("error=tls_certificate_error", Assert.Single(answer.Headers.GetValues("Proxy-Status")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_the_clusters_own_authority_signed_is_taken()
    {
        await using var origin = await TlsOriginAsync(ClientCertificateMode.NoCertificate);
        await using var site = await SiteAsync(origin, new() { Ca = Of("ca.pem") });

        Assert.Equal("200 HTTP/2 as www.example.org for nobody", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task One_for_another_name_is_refused()
    {
        await using var origin = await TlsOriginAsync(ClientCertificateMode.NoCertificate);
        await using var site = await SiteAsync(origin, new() { Ca = Of("ca.pem") }, host: "other.example.org");

        using var answer = await site.SendAsync(HttpMethod.Get, "/a");

        Assert.Contains("error=tls_certificate_error", Assert.Single(answer.Headers.GetValues("Proxy-Status")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_may_be_asked_for_a_host_of_its_own()
    {
        await using var origin = await TlsOriginAsync(ClientCertificateMode.NoCertificate, "backend.example.net");
        await using var site = await SiteAsync(origin, new() { Ca = Of("ca.pem") }, host: "backend.example.net");

        Assert.Equal("200 HTTP/2 as backend.example.net for nobody", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task A_server_that_asks_who_is_there_is_shown_the_nodes_certificate()
    {
        Write("node", "lhr-1");
        await using var origin = await TlsOriginAsync(ClientCertificateMode.RequireCertificate);
        await using var known = await SiteAsync(origin, new() { Ca = Of("ca.pem"), Certificate = Of("node.pem"), Key = Of("node.key") });
        await using var unknown = await SiteAsync(origin, new() { Ca = Of("ca.pem") });

        Assert.Equal("200 HTTP/2 as www.example.org for CN=lhr-1", await known.GetAsync("/a"));
        using var refused = await unknown.SendAsync(HttpMethod.Get, "/a");
        Assert.Equal(HttpStatusCode.BadGateway, refused.StatusCode);
    }

    [Fact]
    public async Task HTTP2_is_spoken_without_TLS_where_the_cluster_says_so()
    {
        var builder = Server.Builder();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(static context => context.Response.WriteAsync(context.Request.Protocol));
        await using var origin = await Server.StartAsync(app);
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            adapt: static cluster => cluster with { HttpRequest = new ForwarderRequestConfig { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact } });

        Assert.Equal("200 HTTP/2", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task Each_cluster_of_a_way_is_spoken_to_as_it_wants()
    {
        var builder = Server.Builder();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(static context => context.Response.WriteAsync(context.Request.Protocol));
        await using var core = await Server.StartAsync(app);
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = ["http://127.0.0.1:9/"], ["core"] = [core.Url] },
            static clusters => clusters["regional"] = new() { Failover = "core" },
            adapt: static cluster => cluster with
            {
                HttpRequest = cluster.ClusterId == "core"
                    ? new ForwarderRequestConfig { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact }
                    : new ForwarderRequestConfig { Version = HttpVersion.Version11 },
            });

        Assert.Equal("200 HTTP/2", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task Every_address_of_a_name_is_a_destination_where_thats_asked_for()
    {
        var resolver = new EveryAddress(new UpstreamOptions { Name = "cdnedge", Forwarding = new() { OriginalHost = false } }, NullLogger<EveryAddress>.Instance);
        var expected = await Dns.GetHostAddressesAsync("localhost", TestContext.Current.CancellationToken);
        Dictionary<string, string> often = new() { [EveryAddress.MetadataKey] = "00:00:30" };

        var resolved = await resolver.ResolveDestinationsAsync(
            new Dictionary<string, DestinationConfig>
            {
                ["one"] = new() { Address = "http://localhost:8080/base", Metadata = often },
                ["plain"] = new() { Address = "http://localhost:8080" },
                ["gone"] = new() { Address = "http://nowhere.invalid:8080", Metadata = often },
            },
            TestContext.Current.CancellationToken);

        Assert.Equal([.. expected.Select(static ip => $"one[{ip}]").Order(), "gone", "plain"], [.. resolved.Destinations.Keys.Where(static key => key[0] == 'o').Order(), .. resolved.Destinations.Keys.Where(static key => key[0] != 'o').Order()]);
        var first = resolved.Destinations[$"one[{expected[0]}]"];
        Assert.Equal(("/base", "localhost:8080"), (new Uri(first.Address).AbsolutePath, first.Host));
        Assert.Equal(expected[0].ToString(), new Uri(first.Address).Host.Trim('[', ']'));
        Assert.NotNull(resolved.ChangeToken);
        Assert.Equal("http://nowhere.invalid:8080", resolved.Destinations["gone"].Address);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _authorityKey.Dispose();
        _directory.Delete(recursive: true);
    }

    private string Of(string file) => Path.Combine(_directory.FullName, file);

    private void Write(string file, string name)
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Of(file + ".pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Of(file + ".key"), key.ExportPkcs8PrivateKeyPem());
    }

    private async Task<Server> TlsOriginAsync(ClientCertificateMode mode, string name = "www.example.org")
    {
        Write("server", name);
        using var loaded = X509Certificate2.CreateFromPemFile(Of("server.pem"), Of("server.key"));
        var certificate = X509CertificateLoader.LoadPkcs12(loaded.Export(X509ContentType.Pkcs12), null);
        var builder = Server.Builder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate,
            ClientCertificateMode = mode,
            ClientCertificateValidation = static (_, _, _) => true,
        })));
        var app = builder.Build();
        app.Run(static context => context.Response.WriteAsync(
            $"{context.Request.Protocol} as {context.Request.Host.Host} for {context.Connection.ClientCertificate?.Subject ?? "nobody"}"));
        return await Server.StartAsync(app);
    }

    private static Task<WaySite> SiteAsync(Server origin, ClusterConnectionOptions connections, string? host = null) => WaySite.StartAsync(
        new() { ["regional"] = [origin.Url] },
        clusters => clusters["regional"] = new() { Connections = connections, Host = host });
}

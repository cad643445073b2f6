using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Upstream.Tests.Scene;

/// <summary>A real Kestrel with a real YARP and this room between them, on free ports of the loopback.</summary>
internal sealed class Edge : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Edge(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    /// <summary>HTTP/1.1.</summary>
    public int Port => PortOf(0);

    /// <summary>HTTP/2 without TLS.</summary>
    public int Http2Port => PortOf(1);

    /// <summary>HTTP/1.1 and HTTP/2 with TLS.</summary>
    public int TlsPort => PortOf(2);

    public static Task<Edge> StartAsync(RawOrigin origin, EdgeSettings? settings = null) => StartAsync(origin.Url, settings);

    public static async Task<Edge> StartAsync(string origin, EdgeSettings? settings = null)
    {
        settings ??= new EdgeSettings();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(Certificate()));
        });

        var proxy = builder.Services.AddReverseProxy().LoadFromMemory(
            [settings.Route(new RouteConfig { RouteId = "r", ClusterId = "c", Match = new RouteMatch { Path = "/{**rest}" } })],
            [settings.Cluster(new ClusterConfig
            {
                ClusterId = "c",
                Destinations = new Dictionary<string, DestinationConfig>
                {
                    ["d"] = new() { Address = origin, Host = settings.DestinationHost },
                },
                HttpRequest = new ForwarderRequestConfig
                {
                    Version = settings.UpstreamVersion,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                    ActivityTimeout = settings.ActivityTimeout,
                },
            })]);
        settings.BeforeUpstream?.Invoke(proxy);
        if (settings.Logs is { } logs) builder.Logging.AddProvider(logs);
        proxy.AddCdnUpstream(_ => new UpstreamOptions { Name = "edge", Forwarding = settings.Forwarding });
        settings.AfterUpstream?.Invoke(proxy);

        var app = builder.Build();
        if (settings.Use is { } middleware) app.Use(middleware);
        app.MapReverseProxy();
        await app.StartAsync();
        return new Edge(app);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    /// <summary>Sends one request with <c>Connection: close</c> among its fields and gives the whole answer.</summary>
    public async Task<string> AskAsync(string request)
    {
        await using var client = await RawClient.ConnectAsync(Port);
        await client.SendAsync(request);
        return await client.ReadToEndAsync();
    }

    private int PortOf(int index) => new Uri(_app.Urls.ElementAt(index)).Port;

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}

/// <summary>What a test changes of the edge.</summary>
internal sealed class EdgeSettings
{
    public ForwardingOptions Forwarding { get; init; } = new();

    public Version UpstreamVersion { get; init; } = HttpVersion.Version11;

    public TimeSpan ActivityTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public string? DestinationHost { get; init; }

    public Func<RouteConfig, RouteConfig> Route { get; init; } = route => route;

    public Func<ClusterConfig, ClusterConfig> Cluster { get; init; } = cluster => cluster;

    public Action<IReverseProxyBuilder>? BeforeUpstream { get; init; }

    public Action<IReverseProxyBuilder>? AfterUpstream { get; init; }

    public ILoggerProvider? Logs { get; init; }

    public Func<HttpContext, RequestDelegate, Task>? Use { get; init; }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Library;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Ways;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Ways;

/// <summary>An edge whose one route leads to the cluster <c>regional</c>, and from there where a test's options say.</summary>
internal sealed class WaySite : IAsyncDisposable
{
    /// <summary>What all nodes of a test are asked for.</summary>
    internal const string Site = "www.example.org";

    private readonly Server _server;

    private WaySite(Server server) => _server = server;

    internal HttpClient Client => _server.Client;

    internal string Url => _server.Url;

    internal Upstreams Upstreams => _server.Services.GetRequiredService<Upstreams>();

    internal CacheServices Cache => _server.Services.GetRequiredService<CacheServices>();

    internal ConcurrentQueue<string> Log { get; private init; } = new();

    /// <summary>An address where nobody listens.</summary>
    internal static string Nowhere()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return $"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}/";
    }

    /// <param name="clusters">The addresses of each cluster's destinations, which are named <c>d0</c>, <c>d1</c>, and so on.</param>
    /// <param name="configure">The options of clusters.</param>
    /// <param name="policy">The policy of everything.</param>
    /// <param name="adapt">Changes a cluster's configuration of YARP's.</param>
    /// <param name="metadata">The route's metadata.</param>
    /// <param name="all">All options.</param>
    /// <param name="port">Where it listens; 0: anywhere.</param>
    internal static async Task<WaySite> StartAsync(
        Dictionary<string, string[]> clusters,
        Action<IDictionary<string, ClusterOptions>>? configure = null,
        CachePolicy? policy = null,
        Func<ClusterConfig, ClusterConfig>? adapt = null,
        Dictionary<string, string>? metadata = null,
        Action<CdnCacheOptions>? all = null,
        int port = 0)
    {
        var log = new Lines();
        var builder = Server.Builder();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Logging.AddProvider(log);
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "r", ClusterId = "regional", Match = new RouteMatch { Path = "/{**rest}" }, Metadata = metadata }],
            [.. clusters.Select(pair => (adapt ?? (static same => same))(new ClusterConfig
            {
                ClusterId = pair.Key,
                LoadBalancingPolicy = "FirstAlphabetical",
                Destinations = pair.Value.Select(static (url, i) => (url, i)).ToDictionary(static one => $"d{one.i}", static one => new DestinationConfig { Address = one.url }),
            }))])
            .AddCdnCache(options =>
            {
                options.Memory.MaxBytes = 32 << 20;
                options.Policies["default"] = policy ?? new CachePolicy();
                configure?.Invoke(options.Clusters);
                all?.Invoke(options);
            });
        var app = builder.Build();
        app.MapReverseProxy();
        return new WaySite(await Server.StartAsync(app)) { Log = log.Written };
    }

    internal UpstreamDestination Destination(string cluster, int number)
    {
        Assert.True(_server.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster(cluster, out var state));
        return Upstreams.Of(state).Of(state.Destinations[$"d{number}"]);
    }

    /// <summary>How its one route's way is.</summary>
    internal WayHealth Way()
    {
        Assert.True(_server.Services.GetRequiredService<IProxyStateLookup>().TryGetRoute("r", out var route));
        return Upstreams.HealthOf(route)!;
    }

    internal async Task<string> GetAsync(string path)
    {
        using var answer = await SendAsync(HttpMethod.Get, path);
        return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
    }

    internal Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null) =>
        Client.SendAsync(new HttpRequestMessage(method, path) { Content = content, Headers = { Host = Site } }, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private sealed class Lines : ILoggerProvider, ILogger
    {
        internal ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue($"{eventId.Name}: {formatter(state, exception)}");

        public void Dispose()
        {
        }
    }
}

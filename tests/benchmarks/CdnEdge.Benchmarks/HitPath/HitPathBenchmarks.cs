using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>
/// What a hit allocates, and how long it takes, without sockets: the whole application from where Kestrel hands a request
/// over, on a server that allocates nothing itself. <see cref="Empty_endpoint"/> is what hosting and routing take
/// for the same route without YARP and cache; the cache's own part is the difference.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class HitPathBenchmarks
{
    private WebApplication _app = null!;
    private WebApplication _emptyApp = null!;
    private Exchange _empty = null!;
    private Exchange _hit1KiB = null!;
    private Exchange _hit10KiB = null!;
    private Exchange _hit100KiB = null!;
    private Exchange _hitInBrotli = null!;
    private Exchange _head = null!;
    private Exchange _notModified = null!;
    private Exchange _range = null!;

    /// <summary>Starts the application, fills it, and makes sure that every exchange is what its name says.</summary>
    [GlobalSetup]
    public async Task StartAsync()
    {
        var server = new InMemoryServer();
        _app = BuildCached(server);
        await _app.StartAsync();
        var emptyServer = new InMemoryServer();
        _emptyApp = BuildEmpty(emptyServer);
        await _emptyApp.StartAsync();

        _empty = emptyServer.Open("/b/1024");
        _hit1KiB = server.Open("/b/1024");
        _hit10KiB = server.Open("/b/10240");
        _hit100KiB = server.Open("/b/102400");
        _hitInBrotli = server.Open("/text/10240");
        _head = server.Open("/b/1024", HttpMethods.Head);
        _notModified = server.Open("/b/1024", field: ("If-None-Match", CannedOrigin.ETagOf(1024)));
        _range = server.Open("/b/10240", field: ("Range", "bytes=1000-1999"));

        await ExpectAsync(_empty, 204, 0, isHit: false);
        await ExpectAsync(_hit1KiB, 200, 1024, isHit: true);
        await ExpectAsync(_hit10KiB, 200, 10240, isHit: true);
        await ExpectAsync(_hit100KiB, 200, 102400, isHit: true);
        await ExpectAsync(_hitInBrotli, 200, null, isHit: true, coding: "br");
        await ExpectAsync(_head, 200, 0, isHit: true);
        await ExpectAsync(_notModified, 304, 0, isHit: true);
        await ExpectAsync(_range, 206, 1000, isHit: true);
    }

    /// <summary>Stops the application.</summary>
    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _emptyApp.StopAsync();
        await _emptyApp.DisposeAsync();
    }

    [Benchmark(Baseline = true)]
    public Task Empty_endpoint() => _empty.SendAsync();

    [Benchmark]
    public Task Hit_of_1_KiB() => _hit1KiB.SendAsync();

    [Benchmark]
    public Task Hit_of_10_KiB() => _hit10KiB.SendAsync();

    [Benchmark]
    public Task Hit_of_100_KiB() => _hit100KiB.SendAsync();

    /// <summary>Of some 20 bytes: what choosing costs, not what copying saves.</summary>
    [Benchmark]
    public Task Hit_in_Brotli() => _hitInBrotli.SendAsync();

    [Benchmark]
    public Task Head() => _head.SendAsync();

    [Benchmark]
    public Task Not_modified() => _notModified.SendAsync();

    [Benchmark]
    public Task Range_of_1000_bytes() => _range.SendAsync();

    private static WebApplication BuildEmpty(InMemoryServer server)
    {
        var app = BuilderOn(server).Build();
        app.Map("{**all}", static context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
        return app;
    }

    private static WebApplication BuildCached(InMemoryServer server)
    {
        var builder = BuilderOn(server);
        builder.Services.AddReverseProxy()
            .LoadFromMemory(
                [new RouteConfig { RouteId = "all", ClusterId = "origin", Match = new RouteMatch { Path = "{**all}" } }],
                [
                    new ClusterConfig
                    {
                        ClusterId = "origin",
                        Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = "http://origin.invalid/" } },
                    },
                ])
            .AddCdnCache();
        builder.Services.AddSingleton<IForwarderHttpClientFactory>(new CannedOrigin());

        var app = builder.Build();
        app.MapReverseProxy();
        return app;
    }

    private static WebApplicationBuilder BuilderOn(InMemoryServer server)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IServer>(server);
        return builder;
    }

    // The first answer may come from the origin, and its body may enter the store a little after its client has it.
    private static async Task ExpectAsync(Exchange exchange, int status, long? bytes, bool isHit, string? coding = null)
    {
        var deadline = TimeProvider.System.GetUtcNow().AddSeconds(10);
        do
        {
            await exchange.SendAsync();
            if (exchange.StatusCode == status
                && (bytes is null || exchange.BytesSent == bytes)
                && (coding is null || exchange.ResponseHeaders.ContentEncoding == coding)
                && exchange.ResponseHeaders["Cache-Status"].ToString().Contains("; hit", StringComparison.Ordinal) == isHit)
            {
                return;
            }
        }
        while (TimeProvider.System.GetUtcNow() < deadline);

        throw new InvalidOperationException(
            $"{exchange.Path}: expected {status} with {bytes} bytes in {coding ?? "no coding"}, hit {isHit}; got {exchange.StatusCode} with {exchange.BytesSent} bytes, "
            + $"Cache-Status: {exchange.ResponseHeaders["Cache-Status"]}");
    }
}

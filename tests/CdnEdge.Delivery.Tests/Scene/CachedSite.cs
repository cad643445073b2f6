using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Storage;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Scene;

/// <summary>A Kestrel with the cache in this process, in front of an origin that the test plays.</summary>
internal sealed class CachedSite : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Errors _errors;

    private CachedSite(WebApplication app, Errors errors) => (_app, _errors) = (app, errors);

    internal int Port => new Uri(_app.Urls.First()).Port;

    internal CacheServices Cache => _app.Services.GetRequiredService<CacheServices>();

    internal MemoryTier Memory => Cache.Memory;

    /// <summary>What its meters have as their scope.</summary>
    internal IMeterFactory Meters => _app.Services.GetRequiredService<IMeterFactory>();

    /// <summary>What was logged as an error, or worse.</summary>
    internal IReadOnlyCollection<string> Logged => _errors.Lines;

    internal static async Task<CachedSite> StartAsync(
        RawOrigin origin, CachePolicy? policy = null, TimeProvider? time = null, long memory = 64 << 20, PeeringOptions? peering = null,
        Action<IServiceCollection>? services = null, Action<IReverseProxyApplicationBuilder>? proxy = null)
    {
        var errors = new Errors();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(errors);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        services?.Invoke(builder.Services);
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "r", ClusterId = "c", Match = new RouteMatch { Path = "/{**rest}" } }],
            [new ClusterConfig { ClusterId = "c", Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = origin.Url } } }])
            .AddCdnCache(options =>
            {
                options.Memory.MaxBytes = memory;
                options.Policies["default"] = policy ?? new CachePolicy();
                options.Peering = peering ?? options.Peering;
            });
        var app = builder.Build();
        if (proxy is null)
        {
            app.MapReverseProxy();
        }
        else
        {
            app.MapReverseProxy(pipeline =>
            {
                proxy(pipeline);
                pipeline.UseLoadBalancing();
            });
        }

        await app.StartAsync();
        return new CachedSite(app, errors);
    }

    internal Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(Port);

    /// <summary>One request on a connection of its own: everything that comes back.</summary>
    internal async Task<string> AskAsync(string method, string path, string fields = "")
    {
        await using var client = await ConnectAsync();
        await client.SendAsync($"{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n");
        return await client.ReadToEndAsync();
    }

    internal Task<string> GetAsync(string path, string fields = "") => AskAsync("GET", path, fields);

    internal CacheKey Key(string path) => CacheKey.Of(Cache.Policies.Find(null), new Uri("http://a" + path));

    internal Fill? FillOf(string path) => Cache.Fills.Find(new FillKey(Key(path), Variance.PolicyKey(Cache.Policies.Find(null), new Microsoft.AspNetCore.Http.HeaderDictionary())));

    internal Task StopAsync(TimeSpan patience) => _app.StopAsync(new CancellationTokenSource(patience).Token);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Waits for a state.</summary>
    internal static Task UntilAsync(Func<bool> state, string what) => UntilAsync(() => Task.FromResult(state()), () => what);

    internal static async Task UntilAsync(Func<Task<bool>> state, Func<string> what)
    {
        var deadline = DateTime.UtcNow.AddSeconds(30);
        while (!await state())
        {
            Assert.True(DateTime.UtcNow < deadline, "Never came: " + what());
            await Task.Delay(5);
        }
    }

    private sealed class Errors : ILoggerProvider, ILogger
    {
        internal ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error)
            {
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}

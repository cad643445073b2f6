using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace CdnEdge.Control.Tests.Scene;

/// <summary>A node as far as purging goes: bus, memory, peers, and the admin port on which other PoPs reach it.</summary>
internal sealed class PopNode : IAsyncDisposable
{
    private static readonly CachePolicy Policy = new();

    private readonly SegmentArena _arena = new();
    private readonly MemoryTier _memory;
    private readonly PurgePropagation _propagation;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConnectionMultiplexer? _redis;
    private WebApplication? _web;

    private PopNode(PurgeOptions options, ConnectionMultiplexer? redis, IPurgeLog log, IPurgeLedger ledger)
    {
        _redis = redis;
        _memory = new MemoryTier(64 << 20, _arena);
        Metrics = new PurgeMetrics(Meters);
        _propagation = new PurgePropagation(options, log, ledger, _memory, () => [Policy], Metrics, static _ => Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance);
    }

    internal IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    internal PurgeMetrics Metrics { get; }

    internal PurgeBus Bus => _propagation.Bus;

    internal PurgeEpochs Epochs => _memory.Epochs;

    internal static async Task<PopNode> StartAsync(PurgeOptions options, RedisServer? redis, int maxEntries = 1_000_000)
    {
        PopNode node;
        if (redis is null)
        {
            var log = new FilePurgeLog(options.LogFile!, options.MaxLogBytes, TimeProvider.System);
            node = new PopNode(options, null, log, new FilePurgeLedger(options.LogFile + ".peers"));
        }
        else
        {
            var connection = await redis.ConnectAsync();
            var log = new RedisPurgeLog(() => connection, "test", maxEntries, options.Retention);
            node = new PopNode(options, connection, log, new RedisPurgeLedger(() => connection, "test", options.Retention));
        }

        await node._propagation.StartAsync(default);
        return node;
    }

    internal async Task ListenAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        _web = builder.Build();
        _web.MapPost("/purges/replicate", (RequestDelegate)_propagation.Receiver.HandleAsync);
        await _web.StartAsync();
    }

    internal async Task CloseAsync()
    {
        if (_web is not { } web)
            return;
        _web = null;
        using var atOnce = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await web.StopAsync(atOnce.Token);
        await web.DisposeAsync();
    }

    /// <summary>Whether an object that was fetched at that moment is gone or stale by now.</summary>
    internal PurgeVerdict Judge(string path, long began) => Judge(path, began, SurrogateTags.None);

    internal PurgeVerdict Judge(string path, long began, SurrogateTags tags) =>
        Epochs.Judge(CacheKey.Of(Policy, new Uri("http://example.org" + path)), tags, began, out _);

    internal Task<PurgeReceipt> PurgeAsync(string path, string? key = null) =>
        Bus.AcceptAsync(new PurgeRequest { Urls = ["http://example.org" + path] }, "test", key, TestContext.Current.CancellationToken);

    internal Task<PurgeState> StateAsync() => _propagation.StateAsync(TestContext.Current.CancellationToken);

    internal Task<ReplicationReceipt> ReceiveAsync(ReplicationBatch batch) => _propagation.Receiver.ReceiveAsync(batch, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await _propagation.StopAsync(default);
        await _propagation.DisposeAsync(); // as a host does
        if (_redis is not null)
            await _redis.DisposeAsync();
        _memory.Dispose();
        _arena.Dispose();
        await _services.DisposeAsync();
    }
}

using System.Diagnostics.Metrics;
using CdnEdge.Control;
using CdnEdge.Storage;
using CdnEdge.Storage.Redis;

namespace CdnEdge.Hosting;

/// <summary>Which log of purges a node follows, and what runs for it, with or without an admin API.</summary>
internal static class EdgePurging
{
    private static readonly TimeSpan PatienceForConnection = TimeSpan.FromSeconds(1);

    internal static void AddTo(IServiceCollection services, PurgeOptions options, RedisOptions redis)
    {
        services.AddSingleton(static provider => new PurgeMetrics(provider.GetRequiredService<IMeterFactory>()));
        if (redis.Connection is null && options.LogFile is null)
        {
            services.AddSingleton<IPurgeBus>(static provider => new LocalPurgeBus(
                provider.GetRequiredService<MemoryTier>(),
                provider.GetRequiredService<IServedSites>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<PurgeMetrics>()));
            return;
        }

        services.AddSingleton(provider => Propagation(provider, options, redis));
        services.AddSingleton<IPurgeBus>(static provider => provider.GetRequiredService<PurgePropagation>().Bus);
        services.AddHostedService(static provider => provider.GetRequiredService<PurgePropagation>());
    }

    private static PurgePropagation Propagation(IServiceProvider provider, PurgeOptions options, RedisOptions redis)
    {
        var sites = provider.GetRequiredService<IServedSites>();
        var time = provider.GetRequiredService<TimeProvider>();
        var connection = provider.GetService<RedisConnection>();
        IPurgeLog log = connection is null
            ? new FilePurgeLog(options.LogFile!, options.MaxLogBytes, time)
            : new RedisPurgeLog(() => connection.Multiplexer, redis.Prefix, options.MaxLogEntries, options.Retention);
        IPurgeLedger ledger = connection is null
            ? new FilePurgeLedger(options.LogFile + ".peers")
            : new RedisPurgeLedger(() => connection.Multiplexer, redis.Prefix, options.Retention);
        return new PurgePropagation(
            options,
            log,
            ledger,
            provider.GetRequiredService<MemoryTier>(),
            () => sites.Policies.Select(static named => named.Policy),
            provider.GetRequiredService<PurgeMetrics>(),
            stopping => connection?.FirstAttemptAsync(PatienceForConnection, stopping) ?? Task.CompletedTask,
            time,
            provider.GetRequiredService<ILoggerFactory>());
    }
}

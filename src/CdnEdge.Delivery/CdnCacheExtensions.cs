using System.Diagnostics.Metrics;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Configuration;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Forwarding;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Routing;
using CdnEdge.Storage;
using CdnEdge.Storage.Redis;
using CdnEdge.Upstream;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the cache to a YARP reverse proxy.</summary>
public static class CdnCacheExtensions
{
    /// <summary>
    /// Caches the responses of all routes in memory, by the book (RFC 9111), each by its policy: the one that its
    /// metadata <see cref="CdnCacheMetadata.Policy"/> names, else <c>default</c>. Nothing further is to be called:
    /// <c>MapReverseProxy()</c> maps the routes as ever.
    /// </summary>
    /// <param name="builder">What <c>AddReverseProxy()</c> returns.</param>
    public static IReverseProxyBuilder AddCdnCache(this IReverseProxyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.AddOptions<CdnCacheOptions>().ValidateOnStart();
        if (services.Any(service => service.ServiceType == typeof(CacheServices)))
        {
            return builder;
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CdnCacheOptions>, CdnCacheOptionsValidator>());

        // After the application's own, wherever it stands: a selector of its own is wrapped, not a replacement.
        services.PostConfigure<KestrelServerOptions>(KestrelHardening.Apply);
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton(provider => new CacheName(provider.GetRequiredService<IOptions<CdnCacheOptions>>().Value.Name));
        services.AddSingleton<SegmentArena>();
        services.AddSingleton(provider => new MemoryTier(
            MemoryBound.Of(provider.GetRequiredService<IOptions<CdnCacheOptions>>().Value.Memory),
            provider.GetRequiredService<SegmentArena>())
        {
            Epochs = { Times = new PurgeTimes(provider.GetRequiredService<TimeProvider>()) },
        });
        services.AddSecondTier();
        services.AddSingleton<PolicyRegistry>();
        services.AddSingleton<CacheMetrics>();
        services.AddSingleton<CompressionProviders>();
        services.AddSingleton<Compressor>();
        services.AddSingleton<Negotiation>();
        services.AddSingleton<CacheServices>();
        services.AddSingleton<FillRunner>();
        services.AddSingleton<DirectForwarder>();
        services.AddSingleton<RequestGuard>();
        services.AddSingleton<ClientClaims>();
        services.AddSingleton<ForwardGuard>();
        services.AddSingleton<PeerGuard>();
        services.AddSingleton<Http3FloodGuard>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, HostGuard>());
        services.AddSingleton<FetchAnswers>();
        services.AddSingleton<FetchPath>();
        services.AddSingleton<CacheEndpoint>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, CachingEndpointPolicy>());
        builder.AddCdnUpstream(provider =>
        {
            var value = provider.GetRequiredService<IOptions<CdnCacheOptions>>().Value;
            var options = provider.GetRequiredService<IOptionsMonitor<CdnCacheOptions>>();
            return new UpstreamOptions { Name = value.Name, Forwarding = value.Forwarding, Peering = value.Peering, Clusters = () => options.CurrentValue.Clusters };
        });
        return builder;
    }

    /// <summary>As <see cref="AddCdnCache(IReverseProxyBuilder)"/>, with options set in code.</summary>
    /// <param name="builder">What <c>AddReverseProxy()</c> returns.</param>
    /// <param name="configure">Sets the options.</param>
    public static IReverseProxyBuilder AddCdnCache(this IReverseProxyBuilder builder, Action<CdnCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        return builder.AddCdnCache();
    }

    /// <summary>
    /// As <see cref="AddCdnCache(IReverseProxyBuilder)"/>, with options bound from a configuration section, and bound again
    /// when it changes.
    /// </summary>
    /// <param name="builder">What <c>AddReverseProxy()</c> returns.</param>
    /// <param name="section">The section that holds <see cref="CdnCacheOptions"/>: <c>CdnEdge</c> by convention.</param>
    public static IReverseProxyBuilder AddCdnCache(this IReverseProxyBuilder builder, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        builder.Services.AddOptions<CdnCacheOptions>().ReadFrom(section);
        return builder.AddCdnCache();
    }

    /// <summary>As <see cref="AddCdnCache(IReverseProxyBuilder, IConfiguration)"/>; code has the last word.</summary>
    /// <param name="builder">What <c>AddReverseProxy()</c> returns.</param>
    /// <param name="section">The section that holds <see cref="CdnCacheOptions"/>: <c>CdnEdge</c> by convention.</param>
    /// <param name="configure">Changes what the section says.</param>
    public static IReverseProxyBuilder AddCdnCache(this IReverseProxyBuilder builder, IConfiguration section, Action<CdnCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        builder.AddCdnCache(section);
        return builder.AddCdnCache(configure);
    }

    // Both are null where no Redis is configured.
    private static void AddSecondTier(this IServiceCollection services)
    {
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IOptions<CdnCacheOptions>>().Value.Redis.Connection is { } connection
                ? new RedisConnection(connection, LoggerOf(provider))
                : null!);
        services.AddSingleton<ISecondTier>(static provider => RedisTier.Create(
            provider.GetService<RedisConnection>(),
            provider.GetRequiredService<IOptions<CdnCacheOptions>>().Value.Redis,
            provider.GetRequiredService<IMeterFactory>(),
            LoggerOf(provider),
            provider.GetRequiredService<TimeProvider>())!);
        services.AddHostedService(static provider => new SecondTierStart(provider.GetService<ISecondTier>()));
    }

    private static ILogger LoggerOf(IServiceProvider provider) => provider.GetRequiredService<ILoggerFactory>().CreateLogger("CdnEdge.Redis");
}

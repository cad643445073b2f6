using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Clusters;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Interim;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Ways;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace CdnEdge.Upstream;

/// <summary>Adds this room to a YARP application.</summary>
internal static class UpstreamBuilderExtensions
{
    /// <summary>
    /// Everything that happens to messages between this node and its upstreams: hop-by-hop fields, Via, CDN-Loop,
    /// X-Forwarded-* and Forwarded, interim responses.
    /// </summary>
    public static IReverseProxyBuilder AddCdnUpstream(this IReverseProxyBuilder builder, Func<IServiceProvider, UpstreamOptions> options)
    {
        // A second call would put a second stream around every connection; the first one's options stand.
        if (builder.Services.Any(static service => service.ServiceType == typeof(UpstreamOptions))) return builder;

        var services = builder.Services;
        services.AddSingleton(options);
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(static provider =>
            new PeerAuthentication(provider.GetRequiredService<UpstreamOptions>().Peering, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<PeerMetrics>();
        services.AddSingleton<UpstreamMetrics>();
        services.AddSingleton<HealthReport>();
        services.AddSingleton<UpstreamPipelines>();
        services.AddSingleton(static provider => new Upstreams(
            new Lazy<IProxyStateLookup>(provider.GetRequiredService<IProxyStateLookup>),
            provider.GetRequiredService<UpstreamOptions>(),
            provider.GetRequiredService<UpstreamPipelines>(),
            provider.GetRequiredService<HealthReport>(),
            provider.GetRequiredService<UpstreamMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<UpstreamParts>();
        services.AddSingleton<IActiveHealthCheckPolicy, ThresholdsHealthPolicy>();
        builder.AddConfigFilter<AskEvenTheUnhealthy>();
        if (!services.Any(static service => service.ServiceType == typeof(IDestinationResolver) && service.ImplementationType?.Name != "NoOpDestinationResolver"))
            services.Replace(ServiceDescriptor.Singleton<IDestinationResolver, EveryAddress>());
        builder.AddTransforms<EdgeTransforms>();
        InterimHttpClientFactory.Decorate(builder.Services);
        return builder;
    }
}

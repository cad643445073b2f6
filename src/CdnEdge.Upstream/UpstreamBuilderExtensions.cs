using CdnEdge.Upstream.Interim;
using CdnEdge.Upstream.Peers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

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

        builder.Services.AddSingleton(options);
        builder.Services.AddMetrics();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(static provider =>
            new PeerAuthentication(provider.GetRequiredService<UpstreamOptions>().Peering, provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<PeerMetrics>();
        builder.AddTransforms<EdgeTransforms>();
        InterimHttpClientFactory.Decorate(builder.Services);
        return builder;
    }
}

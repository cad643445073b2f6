using CdnEdge.Upstream.Interim;
using Microsoft.Extensions.DependencyInjection;

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
        builder.AddTransforms<EdgeTransforms>();
        InterimHttpClientFactory.Decorate(builder.Services);
        return builder;
    }
}

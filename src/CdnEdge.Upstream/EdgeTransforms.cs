using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.HopByHop;
using CdnEdge.Upstream.Interim;
using CdnEdge.Upstream.Loops;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Targets;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace CdnEdge.Upstream;

/// <summary>
/// What a CDN node does to every forwarded message, whatever the route. Runs after the route's own transforms
/// and leaves alone what they said: their Host, their X-Forwarded-*, any field that they gave a value.
/// </summary>
internal sealed partial class EdgeTransforms : ITransformProvider
{
    private readonly UpstreamOptions _options;
    private readonly AddressList _trustedProxies;

    private readonly PeerAuthentication _peers;

    public EdgeTransforms(UpstreamOptions options, PeerAuthentication peers, IForwarderHttpClientFactory clients, ILogger<EdgeTransforms> logger)
    {
        _peers = peers;
        if (clients is not InterimHttpClientFactory) Log.InterimResponsesUnseen(logger, clients.GetType().Name);
        _options = options;
        _trustedProxies = new AddressList(options.Forwarding.TrustedProxies);
    }

    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context)
    {
        context.RequestTransforms.Add(new HopByHopRequestTransform());
        context.RequestTransforms.Add(new PeerRequestTransform(_peers));
        context.RequestTransforms.Add(new MaxForwardsTransform());
        context.RequestTransforms.Add(new EscapedPathTransform());

        // A route with an X-Forwarded or Forwarded transform of its own (even one that says Off) has set this.
        if (context.UseDefaultForwarders is null or true)
        {
            context.UseDefaultForwarders = false;
            context.RequestTransforms.Add(new ForwardedTransform(_options.Forwarding, _trustedProxies));
        }

        if (_options.Forwarding.OriginalHost
            && !context.RequestTransforms.Any(static transform => transform is RequestHeaderOriginalHostTransform))
        {
            context.AddOriginalHost(useOriginal: true);
            context.RequestTransforms.Add(new DestinationHostTransform());
        }

        context.RequestTransforms.Add(new ViaRequestTransform(_options.Name));
        context.RequestTransforms.Add(new CdnLoopTransform(_options.Name));
        context.RequestTransforms.Add(new UpstreamCallTransform());

        context.ResponseTransforms.Add(new ResponseFramingTransform());
        context.ResponseTransforms.Add(new HopByHopResponseTransform());
        context.ResponseTransforms.Add(new PeerResponseTransform());
        context.ResponseTransforms.Add(new ViaResponseTransform(_options.Name));
        context.ResponseTransforms.Add(new TrailerResponseTransform());
        context.ResponseTrailersTransforms.Add(new TrailerEndTransform());
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Interim responses (103 Early Hints) of upstreams won't be passed on: "
            + "the HTTP clients are made by {Factory}, registered after the cache. Call ConfigureHttpClient before AddCdnCache, "
            + "or derive the factory from ForwarderHttpClientFactory and register it before.")]
        public static partial void InterimResponsesUnseen(ILogger logger, string factory);
    }
}

using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Forwarded;

/// <summary>
/// Beside the original Host as the default: a destination configured with a <c>Host</c> of its own gets that one,
/// unless the route's transforms wrote another.
/// </summary>
internal sealed class DestinationHostTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var configured = context.HttpContext.Features.Get<IReverseProxyFeature>()?.ProxiedDestination?.Model.Config.Host;
        if (string.IsNullOrEmpty(configured)) return default;

        var current = context.ProxyRequest.Headers.Host;
        if (current is null || string.Equals(current, context.HttpContext.Request.Host.Value, StringComparison.Ordinal))
            context.ProxyRequest.Headers.Host = configured;
        return default;
    }
}

using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Calls;

/// <summary>Gives the request for upstream the call that it belongs to: a handler doesn't see the context.</summary>
internal sealed class UpstreamCallTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        if (context.HttpContext.Features.Get<UpstreamCall>() is { } call)
        {
            call.Context = context.HttpContext;
            context.ProxyRequest.Options.Set(UpstreamCall.OptionsKey, call);
        }

        return default;
    }
}

using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.HopByHop;

/// <summary>
/// Removes what the upstream meant for this hop only: the fields that its Connection nominates. The fixed ones
/// (Keep-Alive, Proxy-Authenticate and Proxy-Authentication-Info of RFC 9110 §11.7, Proxy-Connection, Upgrade but for
/// 101) are already dropped by YARP. Trailer stays, for the trailers pass too.
/// </summary>
internal sealed class HopByHopResponseTransform : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is { } response
            && response.Headers.NonValidated.TryGetValues("Connection", out var connection))
        {
            foreach (var name in ConnectionOptions.Nominated(new StringValues([.. connection])))
                TakeHeader(context, name);
        }

        return default;
    }
}

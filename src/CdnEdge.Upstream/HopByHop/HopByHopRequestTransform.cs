using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.HopByHop;

/// <summary>
/// Removes what the client meant for this hop only. YARP already drops Connection, Keep-Alive, Proxy-Connection,
/// Proxy-Authorization, TE (but for <c>trailers</c> of HTTP/2, which gRPC needs), Transfer-Encoding and Upgrade
/// (which it restores for WebSockets); the fields that Connection nominates and Trailer are left to us.
/// </summary>
internal sealed class HopByHopRequestTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var headers = context.HttpContext.Request.Headers;
        foreach (var name in ConnectionOptions.Nominated(headers.Connection))
            ClientFields.TryRemove(context, name);

        // YARP forwards no trailers of requests, so announcing them upstream would promise what never comes.
        if (headers.Trailer.Count > 0) ClientFields.TryRemove(context, "Trailer");

        // No field of HTTP: CGI makes it HTTP_PROXY, by which programs choose theirs (CVE-2016-5385, "httpoxy").
        if (headers.ContainsKey("Proxy")) ClientFields.TryRemove(context, "Proxy");
        return default;
    }
}

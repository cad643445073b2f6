using System.Diagnostics;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Peers;

/// <summary>
/// X-Request-Id, by which the logs of all nodes that one request went through can be put together. A client's own passes on as
/// any field does; else the first node makes one for the nodes that it asks. Origins get none that the client didn't send.
/// </summary>
internal static class PeerRequestId
{
    /// <summary>The field's name.</summary>
    public const string Field = "X-Request-Id";

    private static readonly HttpRequestOptionsKey<string> Known = new("CdnEdge.RequestId");

    /// <summary>Remembers what a request is called here, for the case that a node is asked.</summary>
    public static void Remember(HttpRequestMessage request, string id) => request.Options.Set(Known, id);

    /// <summary>The trace's id where there's a trace: it's the same for every attempt.</summary>
    public static void AddTo(HttpRequestMessage request)
    {
        if (request.Headers.NonValidated.Contains(Field))
            return;

        var id = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.TraceId.ToHexString()
            : request.Options.TryGetValue(Known, out var known) ? known
            : Guid.NewGuid().ToString("N");
        request.Headers.TryAddWithoutValidation(Field, id);
    }
}

/// <summary>
/// What nodes say to each other ends with the node that hears it: a request goes on without its field (another node gets one
/// that this node signs), under the name that it has here.
/// </summary>
internal sealed class PeerRequestTransform(PeerAuthentication peers) : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        context.ProxyRequest.Headers.Remove(PeerField.Name);
        if (peers.IsEnabled)
            PeerRequestId.Remember(context.ProxyRequest, context.HttpContext.TraceIdentifier);
        return default;
    }
}

/// <summary>Nor does it come from an origin to a client, or into the store.</summary>
internal sealed class PeerResponseTransform : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        TakeHeader(context, PeerField.Name);
        return default;
    }
}

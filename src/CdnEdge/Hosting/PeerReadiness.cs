using CdnEdge.Control;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Peering;

namespace CdnEdge.Hosting;

/// <summary>
/// What other nodes' health checks ask on the traffic's own addresses: whether this one wants their requests. No site's path,
/// whatever its routes are: visitors find nothing there.
/// </summary>
internal static class PeerReadiness
{
    internal const string Path = "/.well-known/cdnedge/ready";

    /// <summary>Where nodes ask each other; else the path is the sites', as any.</summary>
    /// <param name="app">The edge, before its routing.</param>
    /// <param name="name">This cache's name in Cache-Status (RFC 9211).</param>
    internal static void Use(WebApplication app, string name)
    {
        var services = app.Services;
        var peers = services.GetRequiredService<PeerGuard>();
        if (!peers.IsEnabled)
            return;
        var guard = services.GetRequiredService<RequestGuard>();
        app.Use(next => context => context.Request.Path == Path ? AnswerAsync(context, peers, guard, name) : next(context));
    }

    private static Task AnswerAsync(HttpContext context, PeerGuard peers, RequestGuard guard, string name)
    {
        if (peers.Refuse(context, out var peer) is { } refusal)
            return guard.AnswerAsync(context, refusal);

        var (request, response) = (context.Request, context.Response);
        if (peer is null || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)))
            return UnknownSite.RefusePathAsync(context, name);

        var services = context.RequestServices;
        var whyNot = NodeReadiness.WhyNot(services.GetRequiredService<IAdminNode>(), services.GetRequiredService<DrainState>(), services.GetService<PurgePropagation>());
        response.StatusCode = whyNot is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        response.Headers.CacheControl = "no-store";
        response.ContentType = "text/plain; charset=utf-8";
        var text = (whyNot ?? "ready") + "\n";
        response.ContentLength = text.Length;
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.WriteAsync(text, context.RequestAborted);
    }
}

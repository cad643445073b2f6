using System.Globalization;
using CdnEdge.Caching;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Security;

/// <summary>Sends visitors of http to the same URL over https, for good and with their method (308, RFC 9110 §15.4.9).</summary>
/// <param name="guard">Answers targets that are none.</param>
/// <param name="name">This cache's name in Cache-Status.</param>
/// <param name="listenPort">The port that this node has https on; null: it has none.</param>
internal sealed class HttpsRedirect(RequestGuard guard, CacheName name, int? listenPort)
{
    private const int DefaultPort = 443;

    internal Task AnswerAsync(HttpContext context, Site site)
    {
        // What is odd about a target isn't to be repeated in Location.
        var request = context.Request;
        if ((TargetGuard.Inspect(context) ?? RequestGuard.RefuseToForward(context)) is { } refusal)
            return guard.AnswerAsync(context, refusal);
        if (!request.Host.HasValue)
            return guard.AnswerAsync(context, GuardRefusal.Of(request, StatusCodes.Status400BadRequest, "The request names no host."));

        // Nobody has looked at its framing, so nothing behind a body is taken for a request.
        if (FramingGuard.MayHaveBody(request))
            context.Response.Headers.Connection = "close";
        context.Response.Headers.Location = $"https://{Authority(request.Host, site)}{Target(context)}";
        return ErrorResponder.WriteAsync(context, StatusCodes.Status308PermanentRedirect, "this site is served over https", new CacheStatus { Detail = "https-redirect" }.Format(name.Value));
    }

    private string Authority(HostString host, Site site)
    {
        // A visitor whose URL had no port came to port 80, however it's mapped to this node's: to 443 it's mapped too.
        var port = site.HttpsPort ?? (host.Port is null ? DefaultPort : listenPort ?? DefaultPort);
        var bare = host.Host.Contains(':', StringComparison.Ordinal) && !host.Host.StartsWith('[') ? $"[{host.Host}]" : host.Host;
        return port == DefaultPort ? bare : string.Create(CultureInfo.InvariantCulture, $"{bare}:{port}");
    }

    private static string Target(HttpContext context) =>
        context.Features.Get<IHttpRequestFeature>() is { RawTarget: ['/', ..] target }
            ? target
            : EscapedPath.PathOf(context.Request).ToUriComponent() + context.Request.QueryString.ToUriComponent();
}

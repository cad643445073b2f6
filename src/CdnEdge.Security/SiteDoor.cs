using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Peering;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security;

/// <summary>
/// What a visitor's request passes before routing, as its site says: challenges of ACME, the way to https, the client's certificate. And what
/// the answer says to browsers. Other nodes' requests pass: the node that the visitor came to has asked all that.
/// </summary>
internal sealed class SiteDoor(SitesInForce sites, Visitors visitors, PeerGuard peers, RequestGuard guard, AnswerFields fields, HttpsRedirect redirect)
{
    internal Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var site = sites.Table.Find(HostOf(context.Request.Host));
        if (peers.IsEnabled)
        {
            if (peers.Refuse(context, out var peer) is { } notOurs)
                return guard.AnswerAsync(context, notOurs);
            if (peer is not null)
                return next(context);
        }

        fields.AddTo(context, site);
        if (site.IsOpen)
            return next(context);
        if (site.RedirectsToHttps && !visitors.IsHttps(context))
            return redirect.AnswerAsync(context, site);
        return Refuse(context, site) is { } refusal ? guard.AnswerAsync(context, refusal) : next(context);
    }

    private static GuardRefusal? Refuse(HttpContext context, Site site)
    {
        if (site.ClientCertificate is not { } rule)
            return null;
        if (!context.Request.IsHttps)
            return GuardRefusal.Of(context.Request, StatusCodes.Status403Forbidden, "This site asks for a client certificate, which takes https.");
        return rule.Governed(context)
            ? null
            : GuardRefusal.Of(context.Request, StatusCodes.Status421MisdirectedRequest, "This site asks for a client certificate, which this connection, made for another, hasn't shown.");
    }

    private static ReadOnlySpan<char> HostOf(HostString host)
    {
        var value = host.Value.AsSpan();
        var colon = value.LastIndexOf(':');
        return colon > value.LastIndexOf(']') ? value[..colon] : value;
    }
}

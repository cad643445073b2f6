using CdnEdge.Caching;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Serving;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security;

/// <summary>
/// What a visitor's request passes before routing, as its site says: who may come and how often, the way to https, the client's certificate,
/// other sites' pages, tokens. And what the answer says to browsers. Other nodes' requests pass: the node that the visitor came to has
/// asked all that.
/// </summary>
internal sealed class SiteDoor(
    SitesInForce sites, Visitors visitors, PeerGuard peers, RequestGuard guard, AnswerFields fields, HttpsRedirect redirect, CacheName name, TimeProvider time)
{
    internal Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var site = sites.Table.Find(context.Request.Host.Value);
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

        var address = site.Addresses is null && site.Rates is null ? null : visitors.AddressOf(context);
        if (site.Addresses?.LetsIn(address) == false)
            return guard.AnswerAsync(context, GuardRefusal.Of(context.Request, StatusCodes.Status403Forbidden, "This site doesn't serve the address that you come from."));
        if (site.Rates?.Take(address) is { } late)
            return AnswerTooManyAsync(context, late.Wait, late.IsOfClient);
        if (site.RedirectsToHttps && !visitors.IsHttps(context))
            return redirect.AnswerAsync(context, site);
        if ((RefuseConnection(context, site) ?? site.HotLinks?.Refuse(context) ?? site.Tokens?.Refuse(context, time.GetUtcNow())) is { } refusal)
            return guard.AnswerAsync(context, refusal);
        if (site.Misses is not null)
            context.Features.Set(site); // For when it turns out to be a miss.
        return next(context);
    }

    private Task AnswerTooManyAsync(HttpContext context, TimeSpan wait, bool isOfClient)
    {
        var (status, reason) = isOfClient
            ? (StatusCodes.Status429TooManyRequests, "more requests than one client may make.")
            : (StatusCodes.Status503ServiceUnavailable, "more requests than this site takes.");
        return ErrorResponder.WriteNotNowAsync(context, status, reason, wait, new CacheStatus { Detail = "rate-limited" }.Format(name.Value));
    }

    private static GuardRefusal? RefuseConnection(HttpContext context, Site site)
    {
        if (site.ClientCertificate is not { } rule)
            return null;
        if (!context.Request.IsHttps)
            return GuardRefusal.Of(context.Request, StatusCodes.Status403Forbidden, "This site asks for a client certificate, which takes https.");
        return rule.Governed(context)
            ? null
            : GuardRefusal.Of(context.Request, StatusCodes.Status421MisdirectedRequest, "This site asks for a client certificate, which this connection, made for another, hasn't shown.");
    }
}

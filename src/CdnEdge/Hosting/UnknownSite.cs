using CdnEdge.Delivery.Guard;
using Microsoft.AspNetCore.WebUtilities;
using Yarp.ReverseProxy;

namespace CdnEdge.Hosting;

/// <summary>
/// The answer where no route matched: 421 for a host that no route names (RFC 9110 §15.5.20), 404 for a path that none
/// has, 405 for a method that those with this path don't take. Nothing was looked up and nothing forwarded.
/// </summary>
internal static class UnknownSite
{
    /// <param name="context">The request that no route matched.</param>
    /// <param name="name">This cache's name in Cache-Status (RFC 9211).</param>
    internal static Task RefuseAsync(HttpContext context, string name)
    {
        var routes = context.RequestServices.GetRequiredService<IProxyStateLookup>().GetRoutes();
        var known = routes.Any(r => ServesHost(r.Config.Match.Hosts, context.Request.Host));
        return known
            ? RefusePathAsync(context, name)
            : AnswerAsync(context, StatusCodes.Status421MisdirectedRequest, $"{name}; detail=unknown-host", "421 Misdirected Request: no site of this host here.\n");
    }

    /// <summary>As where no route has the path.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">This cache's name in Cache-Status (RFC 9211).</param>
    internal static Task RefusePathAsync(HttpContext context, string name) =>
        AnswerAsync(context, StatusCodes.Status404NotFound, $"{name}; detail=no-route", "404 Not Found: no route for this path.\n");

    /// <summary>Where routing has chosen an endpoint of its own, which says 405, Allow and nothing else.</summary>
    /// <param name="context">The request whose method no route takes.</param>
    /// <param name="refusal">Routing's endpoint.</param>
    /// <param name="name">This cache's name in Cache-Status (RFC 9211).</param>
    internal static async Task RefuseMethodAsync(HttpContext context, RequestDelegate refusal, string name)
    {
        await refusal(context);
        var status = context.Response.StatusCode;
        await AnswerAsync(context, status, $"{name}; detail=no-route", $"{status} {ReasonPhrases.GetReasonPhrase(status)}: no route of this path takes this method.\n");
    }

    private static Task AnswerAsync(HttpContext context, int status, string cacheStatus, string text)
    {
        var (request, response) = (context.Request, context.Response);
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        response.Headers["Cache-Status"] = cacheStatus;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = text.Length;

        // Nobody has looked at its framing, so nothing behind it is taken for a request.
        if (FramingGuard.MayHaveBody(request))
            response.Headers.Connection = "close";
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.WriteAsync(text, context.RequestAborted);
    }

    /// <param name="patterns">As routes name hosts: <c>example.org</c>, <c>*.example.org</c>, each with <c>:port</c> or without; none: every host.</param>
    /// <param name="host">The request's.</param>
    internal static bool ServesHost(IReadOnlyList<string>? patterns, HostString host)
    {
        if (patterns is null or { Count: 0 })
            return true;

        foreach (var pattern in patterns)
        {
            var wanted = new HostString(pattern);
            if (wanted.Port is { } port && port != host.Port)
                continue;
            if (wanted.Host is "*"
                || wanted.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
                || (wanted.Host.StartsWith("*.", StringComparison.Ordinal) && host.Host.EndsWith(wanted.Host[1..], StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }

        return false;
    }
}

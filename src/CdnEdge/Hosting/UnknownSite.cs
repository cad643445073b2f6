using Yarp.ReverseProxy;

namespace CdnEdge.Hosting;

/// <summary>
/// The answer where no route matched: 421 for a host that no route names (RFC 9110 §15.5.20), 404 for a path that none
/// has. Nothing was looked up and nothing forwarded.
/// </summary>
internal static class UnknownSite
{
    /// <param name="context">The request that no route matched.</param>
    /// <param name="name">This cache's name in Cache-Status (RFC 9211).</param>
    internal static Task RefuseAsync(HttpContext context, string name)
    {
        var routes = context.RequestServices.GetRequiredService<IProxyStateLookup>().GetRoutes();
        var known = routes.Any(r => ServesHost(r.Config.Match.Hosts, context.Request.Host));
        var response = context.Response;
        (response.StatusCode, var text) = known
            ? (StatusCodes.Status404NotFound, "404 Not Found: no route for this path.\n")
            : (StatusCodes.Status421MisdirectedRequest, "421 Misdirected Request: no site of this host here.\n");
        response.Headers.CacheControl = "no-store";
        response.Headers["Cache-Status"] = known ? $"{name}; detail=no-route" : $"{name}; detail=unknown-host";
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = text.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.WriteAsync(text, context.RequestAborted);
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

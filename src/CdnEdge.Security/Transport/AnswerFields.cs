using System.Globalization;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Security;

/// <summary>
/// What answers say to browsers beside what the origin says: Strict-Transport-Security, Alt-Svc, and the site's own fields. At the last moment,
/// for whatever answers writes a head of its own; and none that is there already.
/// </summary>
/// <param name="visitors">Knows whose connection is https.</param>
/// <param name="hasHttp3">The node listens for HTTP/3, on the ports that it has https on.</param>
/// <param name="isDraining">Whether clients are to go elsewhere.</param>
internal sealed class AnswerFields(Visitors visitors, bool hasHttp3, Func<bool> isDraining)
{
    private const string Clear = "clear";

    private Advertisement _last = Advertisement.Of(443);

    /// <summary>To be called before anything answers.</summary>
    internal void AddTo(HttpContext context, Site site)
    {
        var isAdvertised = hasHttp3 && context.Request.IsHttps && site.SpeaksHttp3;
        if (isAdvertised || site.HasFields)
            context.Response.OnStarting(static state => ((Answer)state).OnStartingAsync(), new Answer(this, context, site, isAdvertised));
    }

    private StringValues AltSvc(HttpContext context)
    {
        if (isDraining())
            return Clear;

        // The port in the client's own URL: UDP is mapped to this node as TCP is.
        var port = context.Request.Host.Port ?? 443;
        var last = Volatile.Read(ref _last);
        if (last.Port != port)
            Volatile.Write(ref _last, last = Advertisement.Of(port));
        return last.Field;
    }

    private void Write(HttpContext context, Site site, bool isAdvertised)
    {
        var headers = context.Response.Headers;
        if (isAdvertised)
            headers.AltSvc = AltSvc(context);
        if (site.Hsts.Count > 0 && headers.StrictTransportSecurity.Count == 0 && visitors.IsHttps(context))
            headers.StrictTransportSecurity = site.Hsts;
        foreach (var (name, value) in site.Headers)
        {
            if (!headers.ContainsKey(name))
                headers[name] = value;
        }
    }

    private sealed class Answer(AnswerFields fields, HttpContext context, Site site, bool isAdvertised)
    {
        internal Task OnStartingAsync()
        {
            fields.Write(context, site, isAdvertised);
            return Task.CompletedTask;
        }
    }

    /// <summary>Alt-Svc (RFC 7838 §3): HTTP/3 on the same host, for a day.</summary>
    private sealed record Advertisement(int Port, StringValues Field)
    {
        internal static Advertisement Of(int port) => new(port, string.Create(CultureInfo.InvariantCulture, $"h3=\":{port}\"; ma=86400"));
    }
}

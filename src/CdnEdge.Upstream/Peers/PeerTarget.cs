using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Upstream.Peers;

/// <summary>
/// What a request asks for, in the words that asker and answerer have in common whatever stands between them (HTTP/1.1 or
/// HTTP/2, a proxy that makes the target absolute): authority in lower case, path and query as they stand in the target.
/// </summary>
internal static class PeerTarget
{
    /// <summary>As SocketsHttpHandler writes them.</summary>
    internal static (string Authority, string PathAndQuery) Of(HttpRequestMessage request)
    {
        var uri = request.RequestUri ?? throw new InvalidOperationException("A request without a URI can't be signed.");
        return (Normalised(request.Headers.Host ?? AuthorityOf(uri)), uri.PathAndQuery);
    }

    /// <summary>As Kestrel received them.</summary>
    internal static (string Authority, string PathAndQuery) Of(HttpRequest request)
    {
        var raw = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        // Not HttpRequest.Host, which is Unicode again.
        return (Normalised(request.Headers.Host.ToString()), raw is ['/' or '*', ..] ? raw : PathOfAbsolute(raw));
    }

    // Host may be Unicode, IPv6 without its brackets, and the default port is left out.
    private static string AuthorityOf(Uri uri)
    {
        var host = uri.HostNameType == UriHostNameType.IPv6 ? $"[{uri.IdnHost}]" : uri.IdnHost;
        return uri.IsDefaultPort ? host : $"{host}:{uri.Port}";
    }

    private static string Normalised(string authority) => authority.ToLowerInvariant();

    /// <summary>RFC 9112 §3.2.2; a target without a path asks for <c>/</c>.</summary>
    private static string PathOfAbsolute(string target)
    {
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        var start = authority < 0 ? -1 : target.AsSpan(authority + 3).IndexOfAny('/', '?');
        if (start < 0)
            return "/";
        var rest = target[(authority + 3 + start)..];
        return rest[0] == '?' ? "/" + rest : rest;
    }
}

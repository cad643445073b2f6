using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Targets that the edge and the origin could read differently: what is left of them after Kestrel, which refuses an
/// encoded NUL, a form that doesn't fit the method, and an absolute-form target with another host than Host.
/// </summary>
internal static class TargetGuard
{
    private static readonly SearchValues<char> Harmless = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Except(['#', '%', '\\', ';'])]);

    /// <summary>Looks at the target as it was sent. Null: nothing to refuse.</summary>
    public static GuardRefusal? Inspect(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestFeature>() is not { RawTarget: { Length: > 0 } target })
        {
            return null;
        }

        if (target.AsSpan().ContainsAnyExcept(Harmless) && DescribeOdd(target) is { } reason)
        {
            return new GuardRefusal(StatusCodes.Status400BadRequest, reason, CloseConnection: true);
        }

        return target[0] is '/' or '*' ? null : InspectAbsolute(target, context.Request);
    }

    private static string? DescribeOdd(ReadOnlySpan<char> target)
    {
        // RFC 9112 §3.2: controls, blanks and octets beyond ASCII have no place in a target.
        if (target.ContainsAnyExceptInRange('!', '~'))
        {
            return "The request's target has characters that must be percent-encoded.";
        }

        // One reader drops the fragment, another takes it for part of the path: it's none of the server's (RFC 9110 §7.1).
        if (target.Contains('#'))
        {
            return "The request's target has a fragment.";
        }

        // In a query a percent sign alone is common and harmless; in a path it decides what is decoded (RFC 3986 §2.1).
        var query = target.IndexOf('?');
        var path = query < 0 ? target : target[..query];
        for (var at = path.IndexOf('%'); at >= 0; at = path.IndexOf('%'))
        {
            if (at + 2 >= path.Length || !char.IsAsciiHexDigit(path[at + 1]) || !char.IsAsciiHexDigit(path[at + 2]))
            {
                return "The request's path has a percent sign that encodes nothing.";
            }

            path = path[(at + 3)..];
        }

        path = query < 0 ? target : target[..query];

        // Browsers and some servers make it a slash, others keep it (RFC 3986 §3.3 has none).
        if (path.Contains('\\'))
        {
            return "The request's path has a backslash.";
        }

        return DotSegments.ClimbUnseenIn(path) ? "The request's path has a dot segment that not everybody sees." : null;
    }

    private static GuardRefusal? InspectAbsolute(string target, HttpRequest request)
    {
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0)
        {
            return null;
        }

        // RFC 9110 §7.4: what is https isn't answered for over a connection that isn't, nor the other way round.
        if (!target.AsSpan(0, authority).Equals(request.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new GuardRefusal(StatusCodes.Status421MisdirectedRequest, "The request's target has another scheme than its connection.", CloseConnection: true);
        }

        // RFC 9110 §4.2.4: userinfo serves to disguise the host.
        var host = target.AsSpan(authority + 3);
        var path = host.IndexOfAny('/', '?');
        return (path < 0 ? host : host[..path]).Contains('@')
            ? new GuardRefusal(StatusCodes.Status400BadRequest, "The request's target has credentials in it.", CloseConnection: true)
            : null;
    }
}

using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Caching;

/// <summary>
/// A path that decoding makes ambiguous, in escaped form. ASP.NET decodes <c>%25</c> but leaves <c>%2F</c> (and octets
/// that are no UTF-8) as they are, so that <c>/a%2Fb</c> and <c>/a%252Fb</c>, which are different resources, both become
/// <c>/a%2Fb</c>. What is left with a percent sign is therefore taken from the request's target: in one spelling per
/// resource (RFC 3986 §6.2.2), which is both what the key has and what the origin is asked for.
/// </summary>
internal static class EscapedPath
{
    // What stands unescaped, as YARP writes paths: unreserved, sub-delims, ":" and "@" (RFC 3986 §3.3).
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("!$&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");

    /// <summary>PathBase and Path: decoded where that says it all, else escaped.</summary>
    internal static PathString PathOf(HttpRequest request)
    {
        var path = request.PathBase.Add(request.Path);
        return Of(request) is { } escaped ? new PathString(escaped) : path;
    }

    /// <summary>
    /// PathBase and Path, escaped; null where decoding them lost nothing, or where they aren't the target's any more
    /// because something in the application has rewritten them.
    /// </summary>
    internal static string? Of(HttpRequest request)
    {
        if (request.Path.Value?.Contains('%', StringComparison.Ordinal) != true
            && request.PathBase.Value?.Contains('%', StringComparison.Ordinal) != true)
        {
            return null;
        }

        return request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget is { } target
            ? Of(target, request.PathBase.Add(request.Path))
            : null;
    }

    /// <param name="target">In origin-form or absolute-form (RFC 9112 §3.2), or a path alone.</param>
    /// <param name="decoded">What it became.</param>
    internal static string? Of(ReadOnlySpan<char> target, PathString decoded)
    {
        if (decoded.Value?.Contains('%', StringComparison.Ordinal) != true)
            return null;

        if (target is not ['/', ..])
        {
            var authority = target.IndexOf("://", StringComparison.Ordinal);
            if (authority < 0)
                return null;
            target = target[(authority + 3)..];
            target = target[Math.Max(0, target.IndexOf('/'))..];
        }

        if (target is not ['/', ..])
            return null;

        var query = target.IndexOfAny('?', '#');
        var escaped = Respell(query < 0 ? target : target[..query]);
        return string.Equals(PathString.FromUriComponent(escaped).Value, decoded.Value, StringComparison.OrdinalIgnoreCase) ? escaped : null;
    }

    /// <summary>Each segment in its one spelling, without dot segments (RFC 3986 §5.2.4).</summary>
    private static string Respell(ReadOnlySpan<char> path)
    {
        var result = new StringBuilder(path.Length + 8);
        foreach (var range in path[1..].Split('/'))
        {
            var start = result.Length;
            result.Append('/');
            AppendSegment(result, path[1..][range]);

            var isLast = range.End.Value == path.Length - 1;
            var length = result.Length - start;
            if (length == 2 && result[start + 1] == '.')
            {
                result.Length = isLast ? start + 1 : start;
            }
            else if (length == 3 && result[start + 1] == '.' && result[start + 2] == '.')
            {
                while (start > 0 && result[--start] != '/')
                {
                }

                result.Length = start;
                if (isLast) result.Append('/');
            }
        }

        return result.Length == 0 ? "/" : result.ToString();
    }

    private static void AppendSegment(StringBuilder result, ReadOnlySpan<char> segment)
    {
        for (var i = 0; i < segment.Length; i++)
        {
            var c = segment[i];
            if (c == '%' && i + 2 < segment.Length && byte.TryParse(segment.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                c = (char)octet;
                i += 2;
            }

            if (Plain.Contains(c))
                result.Append(c);
            else
                result.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
        }
    }
}

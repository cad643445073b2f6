using CdnEdge.Caching;
using CdnEdge.Delivery.Guard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Delivery.Routing;

/// <summary>Which requests go past the cache.</summary>
internal static class RequestBypass
{
    internal static BypassReason Decide(HttpContext context, CachePolicy policy)
    {
        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            return BypassReason.Method;
        }

        if (!policy.Enabled || !AllowsMethod(policy, request.Method))
        {
            return BypassReason.Policy;
        }

        var headers = request.Headers;

        // A GET's body has no defined meaning (RFC 9110 §9.3.1) but origins may read it ("fat GET"): it isn't in the key.
        if (FramingGuard.MayHaveBody(request))
        {
            return BypassReason.RequestBody;
        }

        // An extended CONNECT (RFC 8441) is no GET: what's left is the upgrade of HTTP/1.1.
        if (headers.Upgrade.Count > 0)
        {
            return BypassReason.Upgrade;
        }

        if (headers.Accept.Count > 0 && IsEventStream(headers.Accept.ToString()) || IsIncremental(headers))
        {
            return BypassReason.Stream;
        }

        return IsBypassedByPolicy(request, policy.Bypass) ? BypassReason.Policy : BypassReason.None;
    }

    private static bool AllowsMethod(CachePolicy policy, string method)
    {
        // By index, here and below: this is the hit path, and an enumerator of an IList is an allocation.
        for (var i = 0; i < policy.Methods.Count; i++)
        {
            if (string.Equals(policy.Methods[i], method, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsEventStream(string accept) => accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary><c>Incremental: ?1</c> (draft-ietf-httpbis-incremental): forward each piece as it comes.</summary>
    private static bool IsIncremental(IHeaderDictionary headers) =>
        headers.TryGetValue("Incremental", out var value) && value.ToString().AsSpan().Trim().StartsWith("?1", StringComparison.Ordinal);

    private static bool IsBypassedByPolicy(HttpRequest request, BypassPolicy bypass)
    {
        for (var i = 0; i < bypass.Paths.Count; i++)
        {
            if (request.Path.StartsWithSegments(bypass.Paths[i].TrimEnd('/'), StringComparison.Ordinal))
            {
                return true;
            }
        }

        for (var i = 0; i < bypass.Headers.Count; i++)
        {
            if (request.Headers.ContainsKey(bypass.Headers[i]))
            {
                return true;
            }
        }

        if (bypass.Cookies.Count > 0 && request.Headers.Cookie.Count > 0 && HasAnyCookie(request.Headers.Cookie, bypass.Cookies))
        {
            return true;
        }

        if (bypass.QueryParameters.Count > 0 && request.QueryString.HasValue)
        {
            foreach (var (name, _) in request.Query)
            {
                if (MatchesAny(bypass.QueryParameters, name))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// By name alone. Not <see cref="HttpRequest.Cookies"/>, which leaves out cookies whose value has spaces, commas or quotes:
    /// origins read those, and browsers send what they were set.
    /// </summary>
    private static bool HasAnyCookie(StringValues lines, IList<string> patterns)
    {
        foreach (var line in lines)
        {
            foreach (var range in line.AsSpan().Split(';'))
            {
                var pair = line.AsSpan()[range];
                var equals = pair.IndexOf('=');
                if (MatchesAny(patterns, (equals < 0 ? pair : pair[..equals]).Trim(" \t")))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool MatchesAny(IList<string> patterns, ReadOnlySpan<char> name)
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            var pattern = patterns[i].AsSpan();
            if (pattern is [.. var prefix, '*'] ? name.StartsWith(prefix, StringComparison.Ordinal) : name.SequenceEqual(pattern))
            {
                return true;
            }
        }

        return false;
    }
}

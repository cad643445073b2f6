using System.Collections.Frozen;
using CdnEdge.Caching;
using CdnEdge.Delivery.Routing;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Fields in which a client claims another URL, host, scheme, method or address than its request has. Origins believe them, and
/// no key has them: one client's claim would be in what all others get (Kettle, "Practical Web Cache Poisoning", 2018). They
/// are gone before variants are told apart too, so that a Vary on one of them compares what the origin saw.
/// </summary>
/// <param name="options">Read at start, as what is forwarded in their place is.</param>
internal sealed class ClientClaims(IOptions<CdnCacheOptions> options)
{
    private const string Scheme = "X-Forwarded-Proto";

    private static readonly FrozenSet<string> OverridesOfMethod =
        new[] { "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly FrozenSet<string> _removed =
        options.Value.Forwarding.RemoveHeaders.Select(static name => name.Replace('_', '-')).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly AddressList _trustedProxies = new(options.Value.Forwarding.TrustedProxies);
    private readonly bool _tellsScheme = options.Value.Forwarding.XForwarded;

    /// <summary>Removes them, but for those that the policy or the route answers for.</summary>
    internal void Remove(HttpContext context, CachedRoute route, CachePolicy policy)
    {
        if (context.Features.Get<PeerRequest>() is not null)
        {
            // Another node of this CDN has done it.
            return;
        }

        var request = context.Request;
        var believesProxies = route.HasOwnForwarders || _trustedProxies.Contains(context.Connection.RemoteIpAddress);
        List<string>? removed = null;
        foreach (var (name, _) in request.Headers)
        {
            // CGI and its heirs see no difference between the two characters.
            var hyphenated = name.Contains('_', StringComparison.Ordinal) ? name.Replace('_', '-') : name;
            var isClaim = ForwardedTransform.IsClaim(hyphenated) ? !believesProxies
                : _removed.Contains(hyphenated) && (IsSafe(request.Method) || !OverridesOfMethod.Contains(hyphenated));
            if (isClaim && !policy.Passes(name))
            {
                (removed ??= []).Add(name);
            }
        }

        foreach (var name in removed ?? [])
        {
            request.Headers.Remove(name);
        }

        if (_tellsScheme && !route.HasOwnForwarders && !request.Headers.ContainsKey(Scheme))
        {
            // What the origin will see, for a Vary on it.
            request.Headers[Scheme] = request.Scheme;
        }
    }

    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}

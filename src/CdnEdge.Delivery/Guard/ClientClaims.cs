using System.Collections.Frozen;
using CdnEdge.Caching;
using CdnEdge.Delivery.Routing;
using CdnEdge.Upstream;
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
internal sealed class ClientClaims(IOptionsMonitor<CdnCacheOptions> options)
{
    private const string Scheme = "X-Forwarded-Proto";

    private static readonly FrozenSet<string> OverridesOfMethod =
        new[] { "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private Names? _names;

    /// <summary>Removes them, but for those that the policy or the route answers for.</summary>
    internal void Remove(HttpContext context, CachedRoute route, CachePolicy policy)
    {
        if (context.Features.Get<PeerRequest>() is not null)
        {
            // Another node of this CDN has done it.
            return;
        }

        var request = context.Request;
        var names = NamesOf(options.CurrentValue.Forwarding);
        var believesProxies = route.HasOwnForwarders || names.TrustedProxies.Contains(context.Connection.RemoteIpAddress);
        List<string>? removed = null;
        foreach (var (name, _) in request.Headers)
        {
            // CGI and its heirs see no difference between the two characters.
            var hyphenated = name.Contains('_', StringComparison.Ordinal) ? name.Replace('_', '-') : name;
            var isClaim = ForwardedTransform.IsClaim(hyphenated) ? !believesProxies
                : names.Removed.Contains(hyphenated) && (IsSafe(request.Method) || !OverridesOfMethod.Contains(hyphenated));
            if (isClaim && !policy.Passes(name))
            {
                (removed ??= []).Add(name);
            }
        }

        foreach (var name in removed ?? [])
        {
            request.Headers.Remove(name);
        }

        if (names.TellsScheme && !route.HasOwnForwarders && !request.Headers.ContainsKey(Scheme))
        {
            // What the origin will see, for a Vary on it.
            request.Headers[Scheme] = request.Scheme;
        }
    }

    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    private Names NamesOf(ForwardingOptions forwarding)
    {
        if (Volatile.Read(ref _names) is { } names && ReferenceEquals(names.Source, forwarding))
        {
            return names;
        }

        names = new Names(
            forwarding,
            forwarding.RemoveHeaders.Select(static name => name.Replace('_', '-')).ToFrozenSet(StringComparer.OrdinalIgnoreCase),
            new AddressList(forwarding.TrustedProxies),
            forwarding.XForwarded);
        Volatile.Write(ref _names, names);
        return names;
    }

    private sealed record Names(ForwardingOptions Source, FrozenSet<string> Removed, AddressList TrustedProxies, bool TellsScheme);
}

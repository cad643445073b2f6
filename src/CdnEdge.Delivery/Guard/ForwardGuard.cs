using CdnEdge.Caching;
using CdnEdge.Delivery.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// The last look at a request before anything of it goes upstream, which what is answered from the store needn't have:
/// refuses what origins stumble over, and takes away by what they'd tell requests apart that have one key.
/// </summary>
internal sealed class ForwardGuard(ClientClaims claims, IOptions<CdnCacheOptions> options)
{
    private readonly int _maxFieldBytes = options.Value.Forwarding.MaxFieldBytes;

    /// <summary>Null: it may go upstream.</summary>
    internal GuardRefusal? Prepare(HttpContext context, CachedRoute route, CachePolicy policy)
    {
        var refusal = RequestGuard.RefuseToForward(context)
            ?? FieldGuard.Inspect(context.Request, _maxFieldBytes);
        if (refusal is null)
        {
            claims.Remove(context, route, policy);
        }

        return refusal;
    }

    /// <summary>As <see cref="Prepare"/>, for a request whose answer may be stored: host and query are those of the key.</summary>
    internal GuardRefusal? PrepareKeyed(HttpContext context, CachedRoute route, CachePolicy policy)
    {
        if (Prepare(context, route, policy) is { } refusal)
        {
            return refusal;
        }

        var request = context.Request;
        var host = request.Host.Value;
        if (host is not null && CanonicalHost.Of(host) is { Length: > 0 } canonical && canonical != host)
        {
            request.Host = new HostString(canonical);
        }

        var plan = policy.Key.Plan;
        if (plan.RewritesQuery && request.QueryString.HasValue)
        {
            request.QueryString = KeyComposer.QueryOf(plan, request.QueryString);
        }

        if (request.Headers.Range.Count > 0 && !RangeField.IsModest(request.Headers.Range))
        {
            // RFC 9110 §14.2: a server may ignore Range; it's answered with the whole, at the client's pace.
            request.Headers.Range = default;
            request.Headers.IfRange = default;
        }

        return null;
    }
}

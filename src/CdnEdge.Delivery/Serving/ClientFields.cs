using CdnEdge.Caching;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>What of an upstream response's head goes on to the client.</summary>
internal static class ClientFields
{
    /// <summary>
    /// Takes out the targeted fields that end here (RFC 9213 §3.1), those that name tags and, of a response that is stored without its cookies,
    /// the cookies: its first client gets what everybody gets.
    /// </summary>
    /// <param name="context">The request that is answered: another node's own cache needs what ends here for visitors.</param>
    /// <param name="headers">The response's fields.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="isStored">The response is stored.</param>
    internal static void Prepare(HttpContext context, IHeaderDictionary headers, CachePolicy policy, bool isStored)
    {
        if (context.Features.Get<PeerRequest>() is null)
        {
            RemoveWithheld(headers, policy);
        }

        if (isStored && policy.SetCookie == SetCookiePolicy.Strip)
        {
            headers.Remove("Set-Cookie");
        }
    }

    private static void RemoveWithheld(IHeaderDictionary headers, CachePolicy policy)
    {
        for (var i = 0; i < policy.StripTargetedFields.Count; i++)
        {
            headers.Remove(policy.StripTargetedFields[i]);
        }

        for (var i = 0; policy.StripTagFields && i < policy.TagFields.Count; i++)
        {
            headers.Remove(policy.TagFields[i]);
        }
    }
}

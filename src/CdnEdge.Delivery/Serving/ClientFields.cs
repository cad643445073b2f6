using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>What of an upstream response's head goes on to the client.</summary>
internal static class ClientFields
{
    /// <summary>
    /// Takes out the targeted fields that end here (RFC 9213 §3.1), those that name tags and, of a response that is stored without its cookies,
    /// the cookies: its first client gets what everybody gets.
    /// </summary>
    internal static void Prepare(IHeaderDictionary headers, CachePolicy policy, bool isStored)
    {
        for (var i = 0; i < policy.StripTargetedFields.Count; i++)
        {
            headers.Remove(policy.StripTargetedFields[i]);
        }

        for (var i = 0; policy.StripTagFields && i < policy.TagFields.Count; i++)
        {
            headers.Remove(policy.TagFields[i]);
        }

        if (isStored && policy.SetCookie == SetCookiePolicy.Strip)
        {
            headers.Remove("Set-Cookie");
        }
    }
}

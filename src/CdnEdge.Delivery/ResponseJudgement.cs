using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>What becomes of an upstream's response, by its head: stored under <see cref="Head"/>, or not and why.</summary>
/// <param name="Head">What to store it with, its freshness in it; null where it isn't stored.</param>
/// <param name="Reason"><see cref="NoStoreReason.None"/> where it is stored.</param>
internal readonly record struct ResponseJudgement(StoredHead? Head, NoStoreReason Reason)
{
    /// <summary>Judges by what HTTP and the policy say, then size, then the caller's objection, then the application's rules.</summary>
    /// <param name="services">Whose rules and limits apply.</param>
    /// <param name="key">What it would be stored under.</param>
    /// <param name="request">The request as it went upstream.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="headers">The response's fields as received.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="requestTime">When the request went upstream.</param>
    /// <param name="responseTime">When the response came.</param>
    /// <param name="objection">What the way it was fetched says against storing it.</param>
    /// <param name="fetchedAgo">Where another node of this CDN answered: how long ago, by its own word, it had asked the origin.</param>
    /// <param name="method">The method that's judged by; left out, the request's.</param>
    internal static ResponseJudgement Of(
        CacheServices services,
        CacheKey key,
        HttpRequest request,
        int status,
        IHeaderDictionary headers,
        CachePolicy policy,
        DateTimeOffset requestTime,
        DateTimeOffset responseTime,
        NoStoreReason objection,
        TimeSpan fetchedAgo = default,
        string? method = null)
    {
        var directives = ResponseDirectives.Parse(headers, policy);
        var freshness = Freshness.Of(status, headers, directives, policy, requestTime, responseTime, fetchedAgo);
        var requestDirectives = policy.HonourRequestDirectives ? RequestDirectives.Parse(request.Headers) : default;
        method ??= request.Method;
        var target = HttpMethods.IsPost(method) ? RequestTarget.Of(request) : null;
        var reason = Storability.Decide(
            method, target, request.Headers, in requestDirectives,
            status, headers, directives, in freshness, policy);
        if (reason == NoStoreReason.None)
        {
            reason = headers.ContentLength > services.MaxObjectBytesOf(policy) ? NoStoreReason.TooLarge
                : objection != NoStoreReason.None ? objection
                : policy.CheckExtension && !StaticTypes.Agree(request.Path, status, headers) ? NoStoreReason.Extension
                : headers.Location.Count > 0 && SchemeRedirect.Is(RequestTarget.Of(request), status, headers) ? NoStoreReason.SchemeRedirect
                : services.MayStore(key, request, status, headers) ? NoStoreReason.None
                : NoStoreReason.Policy;
        }

        return reason == NoStoreReason.None
            ? new ResponseJudgement(StoredHead.Create(status, headers, request.Headers, directives, freshness, policy), reason)
            : new ResponseJudgement(null, reason);
    }
}

using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>Whether a shared cache may store a response (RFC 9111 §3), and whether that would be any use.</summary>
internal static class Storability
{
    /// <summary>Of a request's fields, names and values: a browser's come to one or two thousand, the smallest limits of servers to 4 KiB.</summary>
    private const int UsualBytes = 3072;

    /// <summary>What the edge writes anew for each visitor: compared as the visitor sent it, all would look alike.</summary>
    private static readonly FrozenSet<string> WhoAsked =
        new[] { "x-forwarded-for", "forwarded" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Decides from heads alone; the body's size and completeness are the caller's to check.</summary>
    /// <param name="method">The request's method.</param>
    /// <param name="requestTarget">Absolute URI of the request, for POST's Content-Location rule; other methods do without.</param>
    internal static NoStoreReason Decide(
        string method,
        Uri? requestTarget,
        IHeaderDictionary requestHeaders,
        in RequestDirectives requestDirectives,
        int status,
        IHeaderDictionary responseHeaders,
        ResponseDirectives directives,
        in Freshness freshness,
        CachePolicy policy)
    {
        // A HEAD's answer has no body to store; the caller freshens a stored GET's with it.
        if (method is not ("GET" or "POST") || !policy.Methods.Contains(method, StringComparer.OrdinalIgnoreCase))
            return NoStoreReason.Method;
        if (!policy.Enabled)
            return NoStoreReason.Policy;
        if (requestDirectives.NoStore)
            return NoStoreReason.RequestNoStore;
        if (!CacheableStatus.IsEverStored(status) || !CacheableStatus.IsAllowed(status, policy))
            return NoStoreReason.Status;
        if (status >= StatusCodes.Status400BadRequest && IsUnusuallyLarge(requestHeaders) && !CacheableStatus.IsNamed(status, policy))
            return NoStoreReason.Status;
        // must-understand stands above no-store, for those who understand (RFC 9111 §5.2.2.3).
        if (directives.MustUnderstand && !CacheableStatus.IsUnderstood(status))
            return NoStoreReason.Status;
        if (IsStream(requestHeaders, responseHeaders))
            return NoStoreReason.Stream;
        if (directives.NoStore && !directives.MustUnderstand)
            return NoStoreReason.NoStore;
        if (directives.Private)
            return NoStoreReason.Private;
        if (status == 206 && !IsUsablePart(responseHeaders))
            return NoStoreReason.PartialUnusable;
        if (requestHeaders.Authorization.Count != 0 && !directives.AllowsAuthorized)
            return NoStoreReason.Authorization;
        if (VariesOnEverything(responseHeaders))
            return NoStoreReason.VaryStar;
        if (SetsSharedCookie(responseHeaders, directives, policy))
            return NoStoreReason.SetCookie;
        if (method == "POST" && !(freshness.IsExplicit && requestTarget is not null && IsAboutTarget(requestTarget, responseHeaders)))
            return NoStoreReason.Method;
        return Use(status, requestHeaders, responseHeaders, directives, freshness, policy);
    }

    /// <summary>
    /// Whether fields are so many that an error may be about them, whatever its status says: servers answer with 400, 413, 431,
    /// 500 and others, each at a size of its own ("cache-poisoned denial of service").
    /// </summary>
    internal static bool IsUnusuallyLarge(IHeaderDictionary requestHeaders)
    {
        var size = 0;
        foreach (var (name, lines) in requestHeaders)
        {
            foreach (var line in lines)
                size += name.Length + (line?.Length ?? 0);
        }

        return size > UsualBytes;
    }

    /// <summary>Answers that are meant to be read while they're made: stored, they'd be held back and shared.</summary>
    internal static bool IsStream(IHeaderDictionary requestHeaders, IHeaderDictionary responseHeaders)
    {
        var type = MediaType.Of(responseHeaders.ContentType);
        return type.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase)
            || type.Equals("multipart/x-mixed-replace", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            || IsIncremental(responseHeaders)
            || IsIncremental(requestHeaders);
    }

    /// <summary><c>Incremental: ?1</c> (draft-ietf-httpbis-incremental).</summary>
    internal static bool IsIncremental(IHeaderDictionary headers) =>
        headers.TryGetValue("Incremental", out var lines) && StructuredField.TryParseItem(lines, out var item) && item.IsTrue;

    /// <summary>Whether storing is allowed by what gives it freshness, and of any use.</summary>
    private static NoStoreReason Use(
        int status,
        IHeaderDictionary requestHeaders,
        IHeaderDictionary responseHeaders,
        ResponseDirectives directives,
        in Freshness freshness,
        CachePolicy policy)
    {
        // RFC 9111 §3, the last condition: public, explicit expiration, or a status that is cacheable by itself.
        if (!freshness.IsExplicit
            && freshness.Source != FreshnessSource.Policy
            && !directives.Public
            && !CacheableStatus.IsHeuristic(status))
        {
            return NoStoreReason.NotFresh;
        }

        if (!HasValidator(responseHeaders, freshness.ResponseTime) && !IsEverServable(directives, freshness, policy))
            return NoStoreReason.NotFresh;

        // Nobody said that this may be shared: not with a request's cookies unless it's plainly an asset. no-cache needs
        // no such care, since it's never served without the origin's consent to the very request.
        if (requestHeaders.Cookie.Count != 0
            && freshness.Source is FreshnessSource.None or FreshnessSource.Heuristic
            && !directives.Public
            && !directives.NoCache
            && !AllowsCookies(policy, responseHeaders))
        {
            return NoStoreReason.Cookie;
        }

        return NoStoreReason.None;
    }

    /// <summary>Whether it could ever be served without validation: fresh, or stale where that's allowed.</summary>
    private static bool IsEverServable(ResponseDirectives directives, in Freshness freshness, CachePolicy policy)
    {
        if (directives.NoCache || freshness.Source == FreshnessSource.None)
            return false;
        if (freshness.Lifetime > freshness.InitialAge)
            return true;
        if (directives.ForbidsStale)
            return false;
        // Stale on arrival: still good for a request's max-stale, for grace and for the windows of RFC 5861.
        return freshness.Lifetime > TimeSpan.Zero
            || (directives.StaleWhileRevalidate ?? policy.StaleWhileRevalidate?.Ticks ?? 0) > 0
            || (directives.StaleIfError ?? policy.StaleIfError?.Ticks ?? 0) > 0;
    }

    private static bool HasValidator(IHeaderDictionary headers, DateTimeOffset now) =>
        (headers.ETag is [{ } etag] && EntityTag.TryParse(etag, out _)) || HttpDate.TryParse(headers.LastModified, now, out _);

    private static bool VariesOnEverything(IHeaderDictionary headers)
    {
        if (headers.Vary.Count == 0)
            return false;
        var names = VaryField.Parse(headers.Vary, out var isStar);
        return isStar || names.Any(static name => WhoAsked.Contains(name.Name));
    }

    /// <summary>Set-Cookie that would be stored though the policy doesn't share cookies.</summary>
    private static bool SetsSharedCookie(IHeaderDictionary headers, ResponseDirectives directives, CachePolicy policy) =>
        policy.SetCookie == SetCookiePolicy.Bypass
        && headers.SetCookie.Count != 0
        // The origin itself keeps the field out of shared caches.
        && !FieldNameList.Contains(directives.NoCacheFields, "Set-Cookie")
        && !FieldNameList.Contains(directives.PrivateFields, "Set-Cookie");

    /// <summary>One part whose place is known (RFC 9110 §15.3.7.1); multipart/byteranges isn't taken apart.</summary>
    private static bool IsUsablePart(IHeaderDictionary headers) =>
        !MediaType.Of(headers.ContentType).Equals("multipart/byteranges", StringComparison.OrdinalIgnoreCase)
        && ContentRange.TryParse(headers.ContentRange, out _);

    /// <summary>RFC 9110 §9.3.3: a POST's answer is cacheable where it says that it's what a GET of the target would give.</summary>
    private static bool IsAboutTarget(Uri target, IHeaderDictionary headers) =>
        headers.ContentLocation is [{ Length: > 0 } location]
        && Uri.TryCreate(target, location, out var resolved)
        && resolved.GetLeftPart(UriPartial.Query).Equals(target.GetLeftPart(UriPartial.Query), StringComparison.Ordinal);

    private static bool AllowsCookies(CachePolicy policy, IHeaderDictionary headers) => policy.HeuristicWithCookies switch
    {
        HeuristicWithCookies.Always => true,
        HeuristicWithCookies.Assets => IsAsset(MediaType.Of(headers.ContentType)),
        _ => false,
    };

    private static bool IsAsset(ReadOnlySpan<char> type) =>
        type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("font/", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("application/font-", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("application/x-font-", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("audio/", StringComparison.OrdinalIgnoreCase)
        || type.StartsWith("video/", StringComparison.OrdinalIgnoreCase)
        || type.Equals("text/css", StringComparison.OrdinalIgnoreCase)
        || type.Equals("text/javascript", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/javascript", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/x-javascript", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/wasm", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/vnd.ms-fontobject", StringComparison.OrdinalIgnoreCase);
}

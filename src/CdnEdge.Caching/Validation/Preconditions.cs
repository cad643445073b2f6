using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>What a request's preconditions come to.</summary>
internal enum PreconditionResult
{
    /// <summary>Answer as if there were none.</summary>
    Proceed,
    /// <summary>304.</summary>
    NotModified,
    /// <summary>412.</summary>
    Failed,
}

/// <summary>Conditional requests against a stored response, in the order of RFC 9110 §13.2.2.</summary>
internal static class Preconditions
{
    /// <summary>True if any of the five precondition fields or Range is there; cheap, for the hit path.</summary>
    internal static bool AnyIn(IHeaderDictionary requestHeaders) =>
        // The typed properties are bit tests in Kestrel's dictionary; the indexer would hash or switch on the name.
        requestHeaders.IfNoneMatch.Count != 0
        || requestHeaders.IfModifiedSince.Count != 0
        || requestHeaders.Range.Count != 0
        || requestHeaders.IfMatch.Count != 0
        || requestHeaders.IfUnmodifiedSince.Count != 0
        || requestHeaders.IfRange.Count != 0;

    /// <summary>
    /// Evaluates If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since for a GET or HEAD against the selected
    /// representation. Only a 200 (or 206 stored) can be 304/412; other statuses always proceed. If-Modified-Since
    /// against a response without Last-Modified compares with its Date.
    /// </summary>
    internal static PreconditionResult Evaluate(IHeaderDictionary requestHeaders, int status, EntityTag? etag, DateTimeOffset? lastModified, DateTimeOffset date, DateTimeOffset now)
    {
        // RFC 9110 §13.2.1 and RFC 9111 §4.3.2: preconditions are about a 200, or the 206 that stands for one.
        if (status is not (200 or 206))
            return PreconditionResult.Proceed;

        // 1. If-Match; 2. only where there is none, If-Unmodified-Since.
        DateTimeOffset since;
        var ifMatch = requestHeaders.IfMatch;
        if (ifMatch.Count != 0)
        {
            if (!IsListed(ifMatch, etag, strong: true))
                return PreconditionResult.Failed;
        }
        else if (requestHeaders.IfUnmodifiedSince is { Count: > 0 } unmodifiedSince
            && lastModified is { } modified
            && HttpDate.TryParse(unmodifiedSince, now, out since)
            && modified > since)
        {
            return PreconditionResult.Failed;
        }

        // 3. If-None-Match; 4. only where there is none, If-Modified-Since. The method is GET or HEAD, so false is 304.
        var ifNoneMatch = requestHeaders.IfNoneMatch;
        if (ifNoneMatch.Count != 0)
            return IsListed(ifNoneMatch, etag, strong: false) ? PreconditionResult.NotModified : PreconditionResult.Proceed;

        // RFC 9111 §4.3.2: without Last-Modified the Date stands in for it (or the time of arrival, which `date` then is).
        if (requestHeaders.IfModifiedSince is { Count: > 0 } modifiedSince
            && HttpDate.TryParse(modifiedSince, now, out since)
            && (lastModified ?? date) <= since)
        {
            return PreconditionResult.NotModified;
        }

        // 5. If-Range stands with Range: see AllowsRange.
        return PreconditionResult.Proceed;
    }

    /// <summary>If-Range (RFC 9110 §13.1.5): true when Range may be honoured (no If-Range, or it matches strongly).</summary>
    internal static bool AllowsRange(IHeaderDictionary requestHeaders, EntityTag? etag, DateTimeOffset? lastModified, DateTimeOffset date, DateTimeOffset now)
    {
        var ifRange = requestHeaders.IfRange;
        if (ifRange.Count == 0)
            return true;
        if (ifRange.Count > 1)
            return false;

        var value = ifRange[0].AsSpan().Trim(" \t");
        if (value.Contains('"'))
            return etag is { } tag && tag.StrongEquals(value);

        // A date must be exactly Last-Modified, and that a strong validator: at least a second older than Date
        // (RFC 9110 §8.8.2.2), or the representation may have changed twice within it.
        return lastModified is { } modified
            && date - modified >= TimeSpan.FromSeconds(1)
            && HttpDate.TryParse(value, now, out var since)
            && since == modified;
    }

    private static bool IsListed(StringValues list, EntityTag? etag, bool strong) =>
        EntityTagList.IsAny(list) || (etag is { } tag && EntityTagList.Contains(list, tag, strong));
}

using Microsoft.AspNetCore.Http;

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
    internal static bool AnyIn(IHeaderDictionary requestHeaders) => throw new NotImplementedException();

    /// <summary>
    /// Evaluates If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since for a GET or HEAD against the selected
    /// representation. Only a 200 (or 206 stored) can be 304/412; other statuses always proceed. If-Modified-Since
    /// against a response without Last-Modified compares with its Date.
    /// </summary>
    internal static PreconditionResult Evaluate(IHeaderDictionary requestHeaders, int status, EntityTag? etag, DateTimeOffset? lastModified, DateTimeOffset date, DateTimeOffset now) => throw new NotImplementedException();

    /// <summary>If-Range (RFC 9110 §13.1.5): true when Range may be honoured (no If-Range, or it matches strongly).</summary>
    internal static bool AllowsRange(IHeaderDictionary requestHeaders, EntityTag? etag, DateTimeOffset? lastModified, DateTimeOffset date, DateTimeOffset now) => throw new NotImplementedException();
}

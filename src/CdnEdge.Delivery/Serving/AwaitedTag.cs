using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>
/// What a client has in a coding that isn't there now: it was evicted, or this node has just started. Whether it still holds can
/// be told without it, for it's made of what is stored.
/// </summary>
internal static class AwaitedTag
{
    /// <summary>Whether If-None-Match lists the tag that the response would have in the coding that the client would be sent.</summary>
    /// <param name="requestHeaders">The client's fields.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="etag">Its tag as it's stored.</param>
    /// <param name="coding">The coding; null: what the client would be sent is there.</param>
    /// <param name="tag">The tag in the coding.</param>
    internal static bool IsIn(IHeaderDictionary requestHeaders, int status, EntityTag? etag, string? coding, out EntityTag tag)
    {
        tag = default;
        if (coding is null
            || etag is not { } stored
            || status != StatusCodes.Status200OK
            || !EntityTagList.ContainsInCoding(requestHeaders.IfNoneMatch, stored, coding))
        {
            return false;
        }

        tag = stored.InCoding(coding);
        return true;
    }
}

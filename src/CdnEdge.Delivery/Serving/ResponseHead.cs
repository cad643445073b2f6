using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Delivery.Serving;

/// <summary>Writes what every response of the cache has in its head.</summary>
internal static class ResponseHead
{
    private const int CachedAges = 4096;

    private static readonly string?[] AgeTexts = new string?[CachedAges];

    /// <summary>The stored fields as they are in the coding that was chosen, Age and Cache-Status.</summary>
    internal static void WriteStored(HttpResponse response, in Representation chosen, int status, DateTimeOffset now, string cacheStatus)
    {
        var head = chosen.Head;
        response.StatusCode = status;
        var headers = response.Headers;
        foreach (ref readonly var field in head.Fields.AsSpan())
        {
            headers[field.Name] = field.Value;
        }

        WriteCoding(headers, in chosen);
        headers.Age = AgeText((long)head.Freshness.Age(now).TotalSeconds);
        AppendCacheStatus(headers, cacheStatus);
    }

    /// <summary>What tells the chosen coding from others of the same response, over the fields as they're stored.</summary>
    internal static void WriteCoding(IHeaderDictionary headers, in Representation chosen)
    {
        if (chosen.Vary is { Count: > 0 } vary)
        {
            headers.Vary = vary;
        }

        if (chosen.Encoded is not { } encoded)
        {
            return;
        }

        headers.ContentEncoding = encoded.Coding;
        headers.ETag = encoded.ETag is { } tag ? tag.Text : default(StringValues);
        if (chosen.Codings!.HasDigests)
        {
            headers.ContentMD5 = default;
            headers.Remove("Content-Digest");
            headers.Remove("Repr-Digest");
            headers.Remove("Digest");
        }
    }

    /// <summary>
    /// For 304: without the fields that describe a body that isn't sent (RFC 9110 §15.4.5).
    /// </summary>
    internal static void RemoveRepresentationFields(IHeaderDictionary headers)
    {
        headers.ContentLength = null;
        headers.ContentType = default;
        headers.ContentEncoding = default;
        headers.ContentRange = default;
        headers.ContentMD5 = default;
        headers.TransferEncoding = default;
    }

    /// <summary>
    /// For 412 and 416: nor those that say how long the representation is fresh, or a cache nearer the client could keep the
    /// refusal of one request as everybody's answer for so long.
    /// </summary>
    internal static void RemoveForRefusal(IHeaderDictionary headers)
    {
        RemoveRepresentationFields(headers);
        headers.CacheControl = "no-store";
        headers.Expires = default;
        headers.Remove("CDN-Cache-Control");
        headers.ContentLength = 0;
    }

    /// <summary>RFC 9211 §2: each cache appends its member, the one nearest the client last.</summary>
    internal static void AppendCacheStatus(IHeaderDictionary headers, string cacheStatus)
    {
        if (headers.TryGetValue("Cache-Status", out var upstream) && upstream.Count > 0)
        {
            headers["Cache-Status"] = string.Concat(upstream.ToString(), ", ", cacheStatus);
        }
        else
        {
            headers["Cache-Status"] = cacheStatus;
        }
    }

    internal static string AgeText(long seconds)
    {
        if (seconds is < 0 or >= CachedAges)
        {
            return seconds.ToString(CultureInfo.InvariantCulture);
        }

        // A race writes the same text twice.
        return AgeTexts[seconds] ??= seconds.ToString(CultureInfo.InvariantCulture);
    }
}

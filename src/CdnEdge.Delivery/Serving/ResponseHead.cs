using System.Globalization;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Serving;

/// <summary>Writes what every response of the cache has in its head.</summary>
internal static class ResponseHead
{
    private const int CachedAges = 4096;

    private static readonly string?[] AgeTexts = new string?[CachedAges];

    /// <summary>The stored fields, Age and Cache-Status.</summary>
    internal static void WriteStored(HttpResponse response, StoredHead head, int status, DateTimeOffset now, string cacheStatus)
    {
        response.StatusCode = status;
        var headers = response.Headers;
        foreach (ref readonly var field in head.Fields.AsSpan())
        {
            headers[field.Name] = field.Value;
        }

        headers.Age = AgeText((long)head.Freshness.Age(now).TotalSeconds);
        AppendCacheStatus(headers, cacheStatus);
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

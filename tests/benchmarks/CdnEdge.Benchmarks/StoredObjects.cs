using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Benchmarks;

/// <summary>Keys, heads and bodies as a fill would make them.</summary>
internal static class StoredObjects
{
    private static readonly CachePolicy Policy = new();

    internal static CacheKey Key(int number)
    {
        using var key = KeyComposer.Compose(Policy, new HostString("www.example.org"), default, $"/articles/{number:d8}.html", default, stackalloc byte[256]);
        return key.ToKey();
    }

    /// <summary>Ten fields, their values not shared with another response (as they come from a connection).</summary>
    internal static StoredHead Head(int number)
    {
        var response = new HeaderDictionary
        {
            ["Content-Type"] = Fresh("text/html; charset=utf-8"),
            ["Content-Length"] = Fresh("1024"),
            ["Date"] = Fresh("Mon, 23 Nov 2026 10:00:00 GMT"),
            ["Last-Modified"] = Fresh("Sun, 22 Nov 2026 10:00:00 GMT"),
            ["ETag"] = $"\"{number:x16}\"",
            ["Cache-Control"] = Fresh("public, max-age=3600"),
            ["Server"] = Fresh("nginx/1.27.0"),
            ["X-Content-Type-Options"] = Fresh("nosniff"),
            ["X-Request-Id"] = $"{number:x32}",
            ["Strict-Transport-Security"] = Fresh("max-age=31536000; includeSubDomains"),
        };
        var directives = ResponseDirectives.Parse(response, Policy);
        var freshness = Freshness.Of(200, response, directives, Policy, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        return StoredHead.Create(200, response, new HeaderDictionary(), directives, freshness, Policy);
    }

    internal static StoredResponse Response(SegmentArena arena, StoredHead head, ReadOnlySpan<byte> content)
    {
        var body = GrowingBody.Create(arena, content.Length);
        body.Append(content);
        body.Seal();
        return new StoredResponse(head, body);
    }

    private static string Fresh(string value) => new(value.AsSpan());
}

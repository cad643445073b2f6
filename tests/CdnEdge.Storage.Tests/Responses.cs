using System.Text;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Storage.Tests;

/// <summary>Keys and heads as a fill makes them.</summary>
internal static class Responses
{
    private static readonly CachePolicy Policy = new();

    internal static CacheKey Key(string path)
    {
        using var key = Compose(path, stackalloc byte[256]);
        return key.ToKey();
    }

    internal static KeyComposer Compose(string path, Span<byte> scratch) =>
        KeyComposer.Compose(Policy, new HostString("example.org"), default, path, default, scratch);

    internal static CacheKey KeyWithHash(string text, UInt128 hash) => new(Encoding.UTF8.GetBytes(text), hash);

    internal static StoredHead Head(string? variant = null, int extraFieldBytes = 0, DateTimeOffset? arrival = null)
    {
        var request = new HeaderDictionary();
        var response = new HeaderDictionary { ["Content-Type"] = "text/html", ["Cache-Control"] = "max-age=60" };
        if (variant is not null)
        {
            request["X-Variant"] = variant;
            response["Vary"] = "X-Variant";
        }

        if (extraFieldBytes > 0)
            response["X-Filler"] = new string('x', extraFieldBytes);
        return Create(request, response, arrival ?? DateTimeOffset.UnixEpoch);
    }

    /// <summary>Ten fields as a website sends them, none of them shared with another response.</summary>
    internal static StoredHead TypicalHead(int number)
    {
        var response = new HeaderDictionary
        {
            ["Content-Type"] = New("text/html; charset=utf-8"),
            ["Content-Length"] = New("1024"),
            ["Date"] = New("Mon, 23 Nov 2026 10:00:00 GMT"),
            ["Last-Modified"] = New("Sun, 22 Nov 2026 10:00:00 GMT"),
            ["ETag"] = $"\"{number:x16}\"",
            ["Cache-Control"] = New("public, max-age=3600"),
            ["Server"] = New("nginx/1.27.0"),
            ["X-Content-Type-Options"] = New("nosniff"),
            ["X-Request-Id"] = $"{number:x32}",
            ["Strict-Transport-Security"] = New("max-age=31536000; includeSubDomains"),
        };
        return Create(new HeaderDictionary(), response, DateTimeOffset.UnixEpoch);
    }

    // Kestrel's and HttpClient's strings are new for most values: so are these.
    private static string New(string value) => new(value.AsSpan());

    private static StoredHead Create(HeaderDictionary request, HeaderDictionary response, DateTimeOffset arrival)
    {
        var directives = ResponseDirectives.Parse(response, Policy);
        var freshness = Freshness.Of(200, response, directives, Policy, arrival, arrival);
        return StoredHead.Create(200, response, request, directives, freshness, Policy);
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching.Tests;

/// <summary>Beginnings of sentences: heads as an origin or a client sends them, at a fixed time.</summary>
internal static class Given
{
    /// <summary>A Tuesday.</summary>
    internal static readonly DateTimeOffset Now = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    internal static string Date(double secondsFromNow = 0) => Now.AddSeconds(secondsFromNow).UtcDateTime.ToString("R");

    /// <summary>"Name: value" lines; a name that comes twice makes two field lines.</summary>
    internal static HeaderDictionary Headers(params string[] lines)
    {
        var headers = new HeaderDictionary();
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Append(line[..colon], new StringValues(line[(colon + 1)..].Trim()));
        }

        return headers;
    }

    internal static ResponseDirectives Directives(CachePolicy policy, params string[] lines) =>
        ResponseDirectives.Parse(Headers(lines), policy);

    internal static Freshness Freshness(CachePolicy policy, int status, params string[] lines)
    {
        var headers = Headers(lines);
        return Caching.Freshness.Of(status, headers, ResponseDirectives.Parse(headers, policy), policy, Now, Now);
    }

    internal static RequestDirectives Request(string? cacheControl) =>
        RequestDirectives.Parse(cacheControl is null ? Headers() : Headers("Cache-Control: " + cacheControl));

    internal static StoredHead Stored(params string[] lines) => Stored(new CachePolicy(), lines);

    internal static StoredHead Stored(CachePolicy policy, params string[] lines)
    {
        var headers = Headers(lines);
        var directives = ResponseDirectives.Parse(headers, policy);
        var freshness = Caching.Freshness.Of(200, headers, directives, policy, Now, Now);
        return StoredHead.Create(200, headers, Headers(), directives, freshness, policy);
    }
}

using System.Text;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Storage;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>Origins of compressible things, and the questions that the tests ask.</summary>
internal static class Sites
{
    internal const string Browser = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

    /// <summary>Some 20 KiB that compress to a third.</summary>
    internal static string Page { get; } = string.Concat(Enumerable.Range(0, 500).Select(static i => $"<li class=\"item\">Number {(uint)(i * 2654435761L):x8}</li>\n"));

    /// <summary>An origin with one answer for all.</summary>
    internal static RawOrigin OriginOf(string body, string fields = "Content-Type: text/html\r\nETag: \"v\"\r\n", string freshness = "max-age=600") =>
        RawOrigin.Answering(Response(body, fields, freshness));

    internal static string Response(string body, string fields = "Content-Type: text/html\r\nETag: \"v\"\r\n", string freshness = "max-age=600") =>
        $"HTTP/1.1 200 OK\r\nCache-Control: {freshness}\r\n{fields}Content-Length: {body.Length}\r\n\r\n{body}";

    internal static async Task<Answer> FetchAsync(this CachedSite site, string fields, string path = "/", string method = "GET") =>
        new(await site.AskAsync(method, path, fields));

    /// <summary>Asks until it comes in the coding.</summary>
    internal static async Task<Answer> AwaitAsync(this CachedSite site, string coding, string fields = Browser, string path = "/")
    {
        Answer? answer = null;
        await CachedSite.UntilAsync(async () => (answer = await site.FetchAsync(fields, path)).Coding == coding, () => $"{coding}, not {answer}");
        return answer!;
    }

    internal static StoredResponse StoredAt(this CachedSite site, string path = "/") => Assert.Single(site.Memory.Find(site.Key(path))!.Variants);

    internal static CachePolicy Policy(Action<CompressionPolicy> configure)
    {
        var policy = new CachePolicy();
        configure(policy.Compression);
        return policy;
    }

    internal static string Latin1(byte[] bytes) => Encoding.Latin1.GetString(bytes);
}

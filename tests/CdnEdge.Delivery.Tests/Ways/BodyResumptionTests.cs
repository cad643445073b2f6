using System.Collections.Concurrent;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Ways;

/// <summary>Bodies that break off on their way from upstream.</summary>
public class BodyResumptionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_breaks_off_is_resumed_by_its_strong_validator(bool honoursRanges)
    {
        var whole = new string('a', 40_000) + new string('b', 40_000);
        var requests = new ConcurrentQueue<string>();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                requests.Enqueue(request);
                const string head = "Cache-Control: max-age=60\r\nETag: \"v1\"\r\n";
                if (requests.Count == 1)
                {
                    await connection.SendAsync($"HTTP/1.1 200 OK\r\n{head}Content-Length: {whole.Length}\r\n\r\n{whole[..50_000]}");
                    return;
                }

                await connection.SendAsync(honoursRanges
                    ? $"HTTP/1.1 206 Partial Content\r\n{head}Content-Range: bytes 50000-79999/80000\r\nContent-Length: 30000\r\n\r\n{whole[50_000..]}"
                    : $"HTTP/1.1 200 OK\r\n{head}Content-Length: {whole.Length}\r\n\r\n{whole}");
            }
        });
        await using var site = await WaySite.StartAsync(new() { ["regional"] = [origin.Url] });

        Assert.Equal("200 " + whole, await site.GetAsync("/a"));
        Assert.Equal("200 " + whole, await site.GetAsync("/a"));
        Assert.Equal(2, requests.Count);
        Assert.Contains("Range: bytes=50000-", requests.Last(), StringComparison.Ordinal);
        Assert.Contains("If-Range: \"v1\"", requests.Last(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"v2\"", 80_000)]
    [InlineData("\"v1\"", 80_001)]
    public async Task A_part_of_another_response_is_never_put_behind(string etag, int length)
    {
        var isFirst = true;
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                if (isFirst)
                {
                    isFirst = false;
                    await connection.SendAsync($"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: \"v1\"\r\nContent-Length: 80000\r\n\r\n{new string('a', 50_000)}");
                    return;
                }

                await connection.SendAsync($"HTTP/1.1 206 Partial Content\r\nETag: {etag}\r\nContent-Range: bytes 50000-{length - 1}/{length}\r\nContent-Length: {length - 50_000}\r\n\r\n{new string('b', length - 50_000)}");
            }
        });
        await using var site = await WaySite.StartAsync(new() { ["regional"] = [origin.Url] });

        // Broken off, or an error where nothing had been sent by then: in no case a body.
        var (answer, broken) = ("", false);
        try
        {
            answer = await site.GetAsync("/a");
        }
        catch (HttpRequestException)
        {
            broken = true;
        }

        Assert.True(broken || answer.StartsWith("502 ", StringComparison.Ordinal), answer);
        Assert.Equal(0, site.Cache.Memory.Count);
    }
}

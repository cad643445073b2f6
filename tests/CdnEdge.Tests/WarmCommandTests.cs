using System.Collections;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using CdnEdge.Commands;
using CdnEdge.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Tests;

/// <summary><c>POST /warm</c> and <c>cdnedge warm</c>, against a real edge and origin.</summary>
public sealed class WarmCommandTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly TemporaryFile _file = new("");
    private readonly SemaphoreSlim _slow = new(0);
    private WebApplication _origin = null!;
    private WebApplication _edge = null!;
    private int _present;
    private int _mostPresent;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Site => _edge.Urls.Single();

    public async ValueTask InitializeAsync()
    {
        _origin = await Running.OriginAsync(AnswerAsync);
        _file.Write($$"""
            {
              "CdnEdge": { "Listen": [ "http://127.0.0.1:0" ], "Admin": { "Listen": "http://127.0.0.1:0", "AuditFile": "{{_file.Path}}.audit" } },
              "ReverseProxy": {
                "Routes": { "site": { "ClusterId": "web", "Match": { "Hosts": [ "127.0.0.1", "www.example.org" ], "Path": "/{**path}" } } },
                "Clusters": { "web": { "Destinations": { "one": { "Address": "{{_origin.Urls.Single()}}" } } } }
              }
            }
            """);
        _edge = await Running.EdgeAsync(Given.SourceWithAdmin(null, _file.Path));
    }

    public async ValueTask DisposeAsync()
    {
        _slow.Release(10_000);
        await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        _file.Dispose();
        _slow.Dispose();
    }

    [Fact]
    public async Task What_was_warmed_is_a_hit_for_a_browser()
    {
        var (code, output, error) = await Run("warm", "https://www.example.org/a?x=%41", "http://www.example.org/b");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal("2 requests: 2 stored, 0 there already, 0 not to be stored, 0 failed", output.Trim());
        foreach (var path in new[] { "/a?x=%41", "/b" })
        {
            using var client = new HttpClient { BaseAddress = new Uri(Site) };
            using var request = new HttpRequestMessage(HttpMethod.Get, PurgeUrl.Verbatim(Site.TrimEnd('/') + path));
            request.Headers.Host = "www.example.org";
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip, deflate, br, zstd");
            using var response = await client.SendAsync(request, Stop);
            Assert.Contains("; hit", response.Headers.GetValues("Cache-Status").Single(), StringComparison.Ordinal);
        }

        Assert.StartsWith("1 requests: 0 stored, 1 there already", (await Run("warm", "http://www.example.org/b")).Output, StringComparison.Ordinal);
        Assert.Equal(2, _asked.Count);
    }

    [Fact]
    public async Task What_fails_is_listed_and_what_may_not_be_stored_is_counted()
    {
        var (code, output, _) = await Run("warm", "http://www.example.org/error", "http://www.example.org/private", "http://www.example.org/a");

        Assert.Equal(1, code);
        Assert.Contains("failed: http://www.example.org/error: 500 Internal Server Error", output, StringComparison.Ordinal);
        Assert.Contains("3 requests: 1 stored, 0 there already, 1 not to be stored, 1 failed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sitemap_is_followed_through_its_index_and_gzip()
    {
        var (code, output, _) = await Run("warm", "--sitemap", "https://www.example.org/index.xml", "--json");

        // One of its URLs is another site's.
        Assert.Equal(1, code);
        var sum = JsonNode.Parse(output)!;
        Assert.Equal((3, 2, 1), ((int)sum["total"]!, (int)sum["stored"]!, (int)sum["failed"]!));
        Assert.Equal("https://elsewhere.example/", (string)sum["failures"]![0]!["url"]!);
        Assert.Contains("/one", _asked);
        Assert.Contains("/two", _asked);
    }

    [Fact]
    public async Task A_sitemap_that_is_none_is_a_failure()
    {
        var (code, output, _) = await Run("warm", "--sitemap", "https://www.example.org/a");
        Assert.Equal(1, code);
        Assert.Contains("failed: https://www.example.org/a: the sitemap: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_variant_that_is_named_is_fetched()
    {
        var (code, output, _) = await Run("warm", "http://www.example.org/vary", "--accept-encoding", "br", "--accept-encoding", "identity");
        Assert.Equal((0, "2 requests: 2 stored"), (code, output[..20]));
        Assert.Equal(["br", "identity"], _asked.Select(asked => asked.Split(' ')[1]).Order());
    }

    [Fact]
    public async Task A_file_of_more_than_one_calls_worth_is_warmed()
    {
        var list = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(list, ["# a comment", "", .. Enumerable.Range(0, WarmBody.MaxUrls + 5).Select(i => $"http://www.example.org/{i}")], Stop);
            var (code, output, _) = await Run("warm", "--file", list, "--concurrency", "32");
            Assert.Equal((0, "1005 requests: 1005 stored, 0 there already, 0 not to be stored, 0 failed"), (code, output.Trim()));
        }
        finally
        {
            File.Delete(list);
        }
    }

    [Theory]
    [InlineData("""{ "urls": [ "http://www.example.org/a", "/relative" ] }""", "/urls/1")]
    [InlineData("""{ "urls": [ "http://elsewhere.example/" ] }""", "no site of the host elsewhere.example")]
    [InlineData("""{ "urls": [ null ] }""", "/urls/0")]
    [InlineData("""{ "sitemap": "http://elsewhere.example/s.xml" }""", "/sitemap")]
    [InlineData("""{ "urls": [ "http://www.example.org/a" ], "concurrency": 65 }""", "/concurrency")]
    [InlineData("""{ "urls": [ "http://www.example.org/a" ], "requests": [] }""", "/requests")]
    [InlineData("""{ "urls": [ "http://www.example.org/a" ], "requests": [ { "Host": "x" } ] }""", "/requests/0/Host")]
    [InlineData("""{ "urls": [ "http://www.example.org/a" ], "requests": [ { "a b": "x" } ] }""", "/requests/0/a b")]
    [InlineData("""{ "urls": [ "http://www.example.org/a" ], "requests": [ { "Content-Language": "de" } ] }""", "/requests/0/Content-Language")]
    [InlineData("""{ "urls": [ "http://www.example.org/a" ], "requests": [ { "X": "a\u000d\u000ab" } ] }""", "/requests/0/X")]
    [InlineData("""{ "url": "http://www.example.org/a" }""", "there are: urls, sitemap, requests, concurrency")]
    [InlineData("{}", "nothing to warm")]
    public async Task A_call_in_which_anything_is_wrong_asks_for_nothing(string json, string named)
    {
        using var client = new HttpClient { BaseAddress = Admin };
        using var response = await client.PostAsync("/warm", new StringContent(json, Encoding.UTF8, "application/json"), Stop);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Contains(named, await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task Progress_comes_while_it_runs_no_more_at_a_time_than_asked_for_and_it_ends_with_its_caller()
    {
        using var client = new HttpClient { BaseAddress = Admin };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warm")
        {
            Content = JsonContent.Create(new { urls = Enumerable.Range(0, 100).Select(i => $"http://www.example.org/slow/{i}"), concurrency = 3 }),
        };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        using (response)
        {
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
            Assert.Equal(["event: begin", "data: {\"total\":100}", ""], [await lines.ReadLineAsync(Stop), await lines.ReadLineAsync(Stop), await lines.ReadLineAsync(Stop)]);
            _slow.Release(5);
            for (var i = 1; i <= 5; i++)
            {
                Assert.Equal("event: progress", await lines.ReadLineAsync(Stop));
                var progress = JsonNode.Parse((await lines.ReadLineAsync(Stop))!["data: ".Length..])!;
                Assert.Equal((i, 100, "stored"), ((int)progress["done"]!, (int)progress["total"]!, (string)progress["outcome"]!));
                Assert.Equal("", await lines.ReadLineAsync(Stop));
            }
        }

        // The caller has gone: none follows those that are under way.
        await Deadline.Until(async () => (await ReadAuditAsync()).Contains("broken off", StringComparison.Ordinal));

        _slow.Release(50);
        Assert.InRange(_asked.Count, 5, 5 + 3 + 3);
        Assert.InRange(Volatile.Read(ref _mostPresent), 1, 3);
    }

    [Fact]
    public async Task It_answers_before_the_sitemap_has_come()
    {
        using var client = new HttpClient { BaseAddress = Admin };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warm")
        {
            Content = JsonContent.Create(new { sitemap = "http://www.example.org/slow/sitemap.xml" }),
        };

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop).WaitAsync(TimeSpan.FromSeconds(20), Stop);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        _slow.Release();
        Assert.Contains("event: end", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_done_before_a_wrong_line_of_a_long_file_is_told_and_the_line_is_named()
    {
        var list = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(list, [.. Enumerable.Range(0, WarmBody.MaxUrls).Select(i => $"http://www.example.org/{i}"), "/relative"], Stop);

            var (code, output, error) = await Run("warm", "--file", list, "--concurrency", "32");

            Assert.Equal(2, code);
            Assert.Contains($"/urls/{WarmBody.MaxUrls}: ", error, StringComparison.Ordinal);
            Assert.Contains("1000 requests: 1000 stored", output, StringComparison.Ordinal);

            (code, output, _) = await Run("warm", "--file", list, "--concurrency", "32", "--json");
            var sum = JsonNode.Parse(output)!;
            Assert.Equal((2, 1000, 400), (code, (int)sum["hit"]!, (int)sum["refused"]!["status"]!));
        }
        finally
        {
            File.Delete(list);
        }
    }

    [Fact]
    public async Task Nothing_to_warm_is_a_wrong_call()
    {
        Assert.Equal(2, (await Run("warm")).Code);
        Assert.Equal(2, (await Run("warm", "--file", "/nowhere")).Code);
        var (code, _, error) = await Run("warm", "http://elsewhere.example/");
        Assert.Equal(2, code);
        Assert.Contains("no site of the host elsewhere.example", error, StringComparison.Ordinal);
    }

    private async Task<string> ReadAuditAsync()
    {
        using var audit = new StreamReader(new FileStream(_file.Path + ".audit", FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return await audit.ReadToEndAsync(Stop);
    }

    private Uri Admin => new(_edge.Services.GetRequiredService<AdminServer>().Addresses.Single());

    private async Task AnswerAsync(HttpContext context)
    {
        var path = $"{context.Request.Path}";
        _asked.Enqueue(path == "/vary" ? $"{path} {context.Request.Headers.AcceptEncoding}" : path);
        context.Response.Headers.CacheControl = path == "/private" ? "private" : "max-age=60";
        switch (path)
        {
            case "/error":
                context.Response.StatusCode = 500;
                return;
            case "/vary":
                context.Response.Headers.Vary = "Accept-Encoding";
                if (context.Request.Headers.AcceptEncoding == "br")
                    context.Response.Headers.ContentEncoding = "br"; // nobody unpacks it
                break;
            case "/index.xml":
                await context.Response.WriteAsync("<sitemapindex><sitemap><loc>https://www.example.org/1.xml.gz</loc></sitemap><sitemap><loc>https://www.example.org/2.xml</loc></sitemap></sitemapindex>");
                return;
            case "/1.xml.gz":
                await using (var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest))
                    await gzip.WriteAsync("<urlset><url><loc>https://www.example.org/one</loc></url><url><loc>https://elsewhere.example/</loc></url></urlset>"u8.ToArray());
                return;
            case "/2.xml":
                await context.Response.WriteAsync("<urlset><url><loc>https://www.example.org/two</loc></url><url><loc>https://www.example.org/one</loc></url></urlset>");
                return;
        }

        if (path.StartsWith("/slow", StringComparison.Ordinal))
        {
            var present = Interlocked.Increment(ref _present);
            _mostPresent = Math.Max(_mostPresent, present);
            await _slow.WaitAsync(Stop);
            Interlocked.Decrement(ref _present);
        }

        await context.Response.WriteAsync(path);
    }

    private async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await new CommandLine(output, error, new Hashtable()).RunAsync([.. arguments, "--admin", Admin.ToString()]);
        return (code, output.ToString(), error.ToString());
    }
}

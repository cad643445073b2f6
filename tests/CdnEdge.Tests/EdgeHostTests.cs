using System.Net;
using CdnEdge.Control;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Tests;

public class EdgeHostTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_goes_to_the_origin()
    {
        await using var origin = await Origin("one");
        await using var edge = await Running.EdgeAsync(Given.Source(origin: origin.Urls.Single(), listen: ["http://127.0.0.1:0"]));
        using var client = Client(edge);

        Assert.Equal("one /a/b?c=d", await client.GetStringAsync("/a/b?c=d", Stop));
    }

    [Theory]
    [InlineData("example.org", "/static/x", HttpStatusCode.OK)]
    [InlineData("example.org", "/other", HttpStatusCode.NotFound)]
    [InlineData("example.com", "/static/x", HttpStatusCode.MisdirectedRequest)]
    [InlineData("example.org", "/static/x", HttpStatusCode.MethodNotAllowed, "DELETE")]
    public async Task What_no_route_wants_is_refused_plainly(string host, string path, HttpStatusCode expected, string method = "GET")
    {
        await using var origin = await Origin("one");
        using var file = new TemporaryFile(Routes(origin, "\"Hosts\": [ \"example.org\" ], \"Path\": \"/static/{**path}\", \"Methods\": [ \"GET\" ]"));
        await using var edge = await Running.EdgeAsync(Given.Source(file.Path));
        using var client = Client(edge);
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Headers = { Host = host } };

        using var response = await client.SendAsync(request, Stop);

        Assert.Equal(expected, response.StatusCode);
        if (expected != HttpStatusCode.OK)
        {
            Assert.Equal("text/plain; charset=utf-8", response.Content.Headers.ContentType!.ToString());
            Assert.StartsWith($"{(int)expected} ", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
            Assert.StartsWith("cdnedge; detail=", Assert.Single(response.Headers.GetValues("Cache-Status")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_changed_file_moves_the_traffic()
    {
        await using var one = await Origin("one");
        await using var two = await Origin("two");
        using var file = new TemporaryFile(Routes(one));
        await using var edge = await Running.EdgeAsync(Given.Source(file.Path));
        using var client = Client(edge);
        Assert.Equal("one /before", await client.GetStringAsync("/before", Stop));

        file.Replace(Routes(two));
        var n = 0;
        await Deadline.Until(async () => await client.GetStringAsync($"/{++n}", Stop) == $"two /{n}");
    }

    [Fact]
    public async Task The_log_of_purges_is_followed_without_an_admin_API_too()
    {
        using var file = new TemporaryFile("");
        var log = file.Path + ".log";
        await using var edge = await Running.EdgeAsync(Given.SourceWithAdmin("none", null, "http://127.0.0.1:9", ["http://127.0.0.1:0"], ("CdnEdge__Purge__LogFile", log)));

        var propagation = edge.Services.GetRequiredService<PurgePropagation>();
        await Deadline.Until(() => propagation.Bus.IsCaughtUp);

        Assert.Null(edge.Services.GetService<AdminServer>());
        Assert.True(File.Exists(log));
        await edge.StopAsync(Stop);
    }

    [Fact]
    public async Task Alone_it_keeps_no_log()
    {
        await using var edge = await Running.EdgeAsync(Given.Source(origin: "http://127.0.0.1:9", listen: ["http://127.0.0.1:0"]));

        Assert.IsType<LocalPurgeBus>(edge.Services.GetRequiredService<IPurgeBus>());
        Assert.True(edge.Services.GetRequiredService<MemoryTier>().Epochs.AreComplete);
    }

    private static string Routes(WebApplication origin, string match = "\"Path\": \"/{**path}\"") => $$"""
        {
          "CdnEdge": { "Listen": [ "http://127.0.0.1:0" ] },
          "ReverseProxy": {
            "Routes": { "site": { "ClusterId": "web", "Match": { {{match}} } } },
            "Clusters": { "web": { "Destinations": { "one": { "Address": "{{origin.Urls.Single()}}" } } } }
          }
        }
        """;

    private static Task<WebApplication> Origin(string name) =>
        Running.OriginAsync(context => context.Response.WriteAsync($"{name} {context.Request.Path}{context.Request.QueryString}"));

    private static HttpClient Client(WebApplication edge) => new() { BaseAddress = new Uri(edge.Urls.Single()) };
}

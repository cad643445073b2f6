using System.Net;
using System.Security.Cryptography;
using CdnEdge.Control;
using CdnEdge.Upstream;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Tests;

/// <summary>What a node's traffic address tells other nodes of itself, and nobody else.</summary>
public class PeerReadinessTests
{
    private const string Path = "/.well-known/cdnedge/ready";

    private static readonly string Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private static readonly PeerAuthentication Asker = new(new PeeringOptions { Id = "lhr-1", Key = Key }, TimeProvider.System);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task A_node_is_told_whether_this_one_wants_requests(string method)
    {
        await using var origin = await Origin();
        await using var edge = await Edge(origin);
        using var client = new HttpClient();
        var drain = edge.Services.GetRequiredService<DrainState>();

        var (ready, text) = await AskAsync(client, edge, new HttpMethod(method));
        drain.Set(true);
        var (draining, reason) = await AskAsync(client, edge, new HttpMethod(method));
        drain.Set(false);
        var (again, _) = await AskAsync(client, edge, new HttpMethod(method));

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK], [ready, draining, again]);
        Assert.Equal(method == "HEAD" ? ["", ""] : ["ready\n", "draining\n"], [text, reason]);
    }

    [Fact]
    public async Task A_visitor_finds_nothing_whatever_the_routes()
    {
        await using var origin = await Origin();
        await using var edge = await Edge(origin);
        using var client = new HttpClient { BaseAddress = new Uri(edge.Urls.Single()) };

        using var answer = await client.GetAsync(Path, Stop);
        using var post = new HttpRequestMessage(HttpMethod.Post, edge.Urls.Single() + Path);
        Asker.Sign(post, [], TimeSpan.FromSeconds(1));
        using var posted = await client.SendAsync(post, Stop);

        Assert.All([answer, posted], static response => Assert.Equal(HttpStatusCode.NotFound, response.StatusCode));
        Assert.Equal("404 Not Found: no route for this path.\n", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("of the site", await client.GetStringAsync("/.well-known/cdnedge/other", Stop));
    }

    [Fact]
    public async Task Who_has_another_key_is_told_so()
    {
        await using var origin = await Origin();
        await using var edge = await Edge(origin);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, edge.Urls.Single() + Path);
        new PeerAuthentication(new PeeringOptions { Id = "lhr-1", Key = Convert.ToBase64String(new byte[32]) }, TimeProvider.System).Sign(request, [], TimeSpan.FromSeconds(1));

        using var answer = await client.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.StartsWith("403 Forbidden: The request's CdnEdge-Peer isn't signed with this CDN's key", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_key_the_path_is_the_sites_as_any()
    {
        await using var origin = await Origin();
        await using var edge = await Running.EdgeAsync(Given.Source(origin: origin.Urls.Single(), listen: ["http://127.0.0.1:0"]));
        using var client = new HttpClient { BaseAddress = new Uri(edge.Urls.Single()) };

        Assert.Equal("of the site", await client.GetStringAsync(Path, Stop));
    }

    [Fact]
    public async Task Mistakes_are_named_by_their_path_and_keys_are_not_shown()
    {
        var reviewed = await Given.Review(Given.WithEdge("\"Peering\": { \"Id\": \"a b\", \"Key\": \"s3cret\", \"MaxHops\": 9 }"));

        Assert.Contains(reviewed.Errors, static error => error.StartsWith("CdnEdge:Peering:Id: 'a b'", StringComparison.Ordinal));
        Assert.Contains(reviewed.Errors, static error => error.StartsWith("CdnEdge:Peering:Key: '(not shown)'", StringComparison.Ordinal));
        Assert.Contains(reviewed.Errors, static error => error.StartsWith("CdnEdge:Peering:MaxHops: '9'", StringComparison.Ordinal));
        Assert.DoesNotContain(reviewed.Errors, static error => error.Contains("s3cret", StringComparison.Ordinal));
    }

    private static async Task<(HttpStatusCode Status, string Text)> AskAsync(HttpClient client, WebApplication edge, HttpMethod method)
    {
        using var request = new HttpRequestMessage(method, edge.Urls.Single() + Path);
        Asker.Sign(request, [], TimeSpan.FromSeconds(5));
        using var response = await client.SendAsync(request, Stop);
        Assert.True(Asker.TryVerify(request, response, out _, out var fault), fault.ToString());
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Stop));
    }

    private static Task<WebApplication> Origin() => Running.OriginAsync(static context => context.Response.WriteAsync("of the site"));

    private static Task<WebApplication> Edge(WebApplication origin) => Running.EdgeAsync(Given.Source(
        null, origin.Urls.Single(), ["http://127.0.0.1:0"], ("CdnEdge__Peering__Key", Key), ("CdnEdge__Peering__Id", "fra-1")));
}

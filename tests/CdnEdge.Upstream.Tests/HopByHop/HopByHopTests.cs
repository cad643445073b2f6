using CdnEdge.Upstream.HopByHop;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Tests.HopByHop;

public class HopByHopTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string WithTrailers =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n3\r\nyes\r\n0\r\nX-Sum: 42\r\n\r\n";

    [Theory]
    [InlineData("", "")]
    [InlineData("close", "")]
    [InlineData("Keep-Alive", "")]
    [InlineData("keep-alive, X-A", "X-A")]
    [InlineData(" X-A ,,\tX-B,", "X-A|X-B")]
    [InlineData("Host, Via, CDN-Loop, content-length, Transfer-Encoding, Cache-Control, X-A", "X-A")]
    [InlineData("Upgrade, HTTP2-Settings", "HTTP2-Settings")]
    public void Nominated_names_are_those_of_removable_fields(string connection, string expected) =>
        Assert.Equal(expected, string.Join('|', ConnectionOptions.Nominated(connection)));

    [Fact]
    public void RemoveNominated_takes_the_fields_of_every_Connection_line()
    {
        var headers = new HeaderDictionary { ["Connection"] = new(["x-a", "x-b"]), ["X-A"] = "1", ["X-B"] = "2", ["X-C"] = "3" };
        ConnectionOptions.RemoveNominated(headers);
        Assert.Equal(["Connection", "X-C"], headers.Keys.Order());
    }

    [Fact]
    public async Task A_clients_hop_by_hop_fields_stay_here()
    {
        await using var origin = RawOrigin.Answering(Ok);
        await using var edge = await Edge.StartAsync(origin);

        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Mine, Via\r\nX-Mine: 1\r\nX-Yours: 2\r\nKeep-Alive: 5\r\n"
            + "Proxy: http://evil.example\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nTE: trailers, gzip\r\nTrailer: X-T\r\nVia: 1.0 front\r\n\r\n");
        await client.ReadUntilAsync("ok");

        var request = Assert.Single(origin.Requests);
        foreach (var gone in new[] { "X-Mine", "Keep-Alive", "Proxy", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer", "Connection" })
            Assert.Empty(Head.Field(request, gone));
        Assert.Equal(["2"], Head.Field(request, "X-Yours"));
        Assert.Equal(["1.0 front, 1.1 edge"], Head.Field(request, "Via"));
    }

    [Fact]
    public async Task A_client_cannot_nominate_away_what_the_route_sets()
    {
        await using var origin = RawOrigin.Answering(Ok);
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Route = route => route.WithTransformRequestHeader("X-Secret", "s", append: false),
        });

        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Secret\r\nX-Secret: guess\r\n\r\n");
        await client.ReadUntilAsync("ok");

        Assert.Equal(["s"], Head.Field(Assert.Single(origin.Requests), "X-Secret"));
    }

    [Fact]
    public async Task An_origins_hop_by_hop_fields_stay_here()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Mine, Cache-Control\r\nX-Mine: 1\r\n"
            + "Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nProxy-Authentication-Info: x\r\nProxy-Connection: close\r\nTE: x\r\n"
            + "Upgrade: h2c\r\nX-Yours: 2\r\nCache-Control: no-store\r\nVia: 1.0 shield\r\n\r\nok");
        await using var edge = await Edge.StartAsync(origin);

        var response = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", response);
        foreach (var gone in new[] { "X-Mine", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Connection", "TE", "Upgrade" })
            Assert.Empty(Head.Field(response, gone));
        Assert.Equal(["2"], Head.Field(response, "X-Yours"));
        Assert.Equal(["no-store"], Head.Field(response, "Cache-Control"));
        Assert.Equal(["1.0 shield, 1.1 edge"], Head.Field(response, "Via"));
    }

    [Fact]
    public async Task WebSockets_pass()
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n");
            await connection.ReadUntilAsync("ping");
            await connection.SendAsync("pong");
        });
        await using var edge = await Edge.StartAsync(origin);
        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        var head = await client.ReadHeadAsync();
        await client.SendAsync("ping");

        Assert.StartsWith("HTTP/1.1 101 ", head);
        Assert.Equal(["websocket"], Head.Field(head, "Upgrade"));
        Assert.Equal("pong", await client.ReadAsync(4));
        var request = Assert.Single(origin.Requests);
        Assert.Equal(["Upgrade"], Head.Field(request, "Connection"));
        Assert.Equal(["websocket"], Head.Field(request, "Upgrade"));
    }

    [Fact]
    public async Task Trailers_pass_over_http_1_and_the_connection_goes_on()
    {
        await using var origin = RawOrigin.Answering(WithTrailers);
        await using var edge = await Edge.StartAsync(origin);
        await using var client = await RawClient.ConnectAsync(edge.Port);

        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip;q=0.5, trailers\r\n\r\n");
            var head = await client.ReadHeadAsync();
            Assert.Equal(["X-Sum"], Head.Field(head, "Trailer"));
            Assert.Equal(["chunked"], Head.Field(head, "Transfer-Encoding"));
            var body = await client.ReadUntilAsync("\r\n\r\n");
            // However YARP cut it into chunks.
            Assert.Matches("^((2\r\nok\r\n3\r\nyes)|(5\r\nokyes))\r\n0\r\nX-Sum: 42\r\n\r\n$", body);
        }
    }

    [Fact]
    public async Task A_client_that_does_not_take_trailers_gets_none()
    {
        await using var origin = RawOrigin.Answering(WithTrailers);
        await using var edge = await Edge.StartAsync(origin);

        var response = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.EndsWith("yes\r\n0\r\n\r\n", response);
    }

    [Fact]
    public async Task A_body_that_breaks_before_its_trailers_is_never_ended()
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n");
        });
        await using var edge = await Edge.StartAsync(origin);

        var response = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n");

        Assert.DoesNotContain("0\r\n\r\n", response.Split("\r\n\r\n", 2)[^1]);
    }
}

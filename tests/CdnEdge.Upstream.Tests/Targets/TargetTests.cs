using CdnEdge.Upstream.Tests.Scene;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Tests.Targets;

/// <summary>The target that the origin is asked for.</summary>
public class TargetTests
{
    [Theory]
    [InlineData("/a%2Fb", "/a%2Fb")]
    [InlineData("/a%2fb?c=%2f", "/a%2Fb?c=%2f")]
    [InlineData("/a%252Fb", "/a%252Fb")]
    [InlineData("/100%25", "/100%25")]
    [InlineData("/%FF", "/%FF")]
    [InlineData("/x/../a%2F..%2Fb", "/a%2F..%2Fb")]
    [InlineData("/a%5Cb%3Fc%23d", "/a%5Cb%3Fc%23d")]
    [InlineData("/a%20b;c", "/a%20b;c")]
    public async Task An_escape_means_to_the_origin_what_it_meant_to_the_edge(string asked, string expected) =>
        Assert.Equal(expected, await SeenAsync(asked));

    [Fact]
    public async Task A_routes_transforms_keep_their_say()
    {
        Assert.Equal("/base/a%2Fb", await SeenAsync("/a%2Fb", route => route.WithTransformPathPrefix("/base")));
        Assert.Equal("/a%2Fb/c", await SeenAsync("/api/a%2Fb/c", route => route.WithTransformPathRemovePrefix("/api")));
        Assert.Equal("/v2/a%2Fb/c", await SeenAsync("/api/a%2Fb/c", route => (route with { Match = new RouteMatch { Path = "/api/{**rest}" } }).WithTransformPathRouteValues("/v2/{**rest}")));
        Assert.Equal("/fixed", await SeenAsync("/a%2Fb", route => route.WithTransformPathSet("/fixed")));
        Assert.Equal("/a%2Fb?k=v", await SeenAsync("/a%2Fb", route => route.WithTransformQueryValue("k", "v")));
    }

    [Theory]
    [InlineData("OPTIONS", "5", "4")]
    [InlineData("TRACE", "1", "0")]
    [InlineData("OPTIONS", "many", "many")]
    [InlineData("GET", "5", "5")]
    public async Task Max_forwards_counts_this_node(string method, string sent, string expected)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin);

        await edge.AskAsync($"{method} / HTTP/1.1\r\nHost: a\r\nMax-Forwards: {sent}\r\nConnection: close\r\n\r\n");

        Assert.Equal([expected], Head.Field(Assert.Single(origin.Requests), "Max-Forwards"));
    }

    private static async Task<string> SeenAsync(string target, Func<RouteConfig, RouteConfig>? route = null)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings { Route = route ?? (r => r) });
        await edge.AskAsync($"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        return Assert.Single(origin.Requests).Split(' ')[1];
    }
}

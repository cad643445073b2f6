using CdnEdge.Upstream.Loops;
using CdnEdge.Upstream.Tests.Scene;
using CsCheck;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Upstream.Tests.Loops;

public class CdnLoopTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("edge", true)]
    [InlineData("EDGE", true)]
    [InlineData("edge2", false)]
    [InlineData("foo123.foocdn.example, barcdn.example; trace=\"abcdef\"", false)]
    [InlineData("foo123.foocdn.example, edge; trace=\"abcdef\"", true)]
    [InlineData("foo ;a=b;c=\"d, edge\"", false)]
    [InlineData("foo;a=\"\\\", edge\", edge ; x=y", true)]
    [InlineData("foo;a=\"\\\", edge\"", false)]
    [InlineData("foo;a=\"never closed, edge", true)]
    [InlineData(",, edge ,", true)]
    [InlineData("foo; edge", false)]
    public void A_cdn_id_is_found_and_nothing_else(string? line, bool expected)
    {
        var headers = new HeaderDictionary();
        if (line is not null) headers["CDN-Loop"] = line;
        Assert.Equal(expected ? 1 : 0, CdnLoop.Count(headers, "edge"));
    }

    [Fact]
    public void Every_time_in_every_line_counts() =>
        Assert.Equal(3, CdnLoop.Count(new HeaderDictionary { ["CDN-Loop"] = new(["edge, foo, EDGE", "bar, edge;v=1"]) }, "edge"));

    [Fact]
    public void A_name_appended_to_any_list_is_found() =>
        Gen.String[Gen.Char["ab,;\"\\= "], 0, 12].Sample(line =>
            !line.Contains('"')
                ? CdnLoop.Count(new HeaderDictionary { ["CDN-Loop"] = FieldList.Append(line, "edge") }, "edge") == 1
                : CdnLoop.Count(new HeaderDictionary { ["CDN-Loop"] = new([line, "edge"]) }, "edge") == 1);

    [Theory]
    [InlineData("", "edge")]
    [InlineData("CDN-Loop: other\r\n", "other, edge")]
    [InlineData("CDN-Loop: other\r\nCDN-Loop: third;a=b\r\n", "other, third;a=b, edge")]
    [InlineData("Connection: CDN-Loop\r\nCDN-Loop: other\r\n", "other, edge")]
    public async Task The_node_names_itself_to_the_origin(string fields, string expected)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin);
        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync($"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        await client.ReadHeadAsync();

        Assert.Equal([expected], Head.Field(Assert.Single(origin.Requests), "CDN-Loop"));
    }

    [Theory]
    [InlineData("HTTP/1.0", "1.0")]
    [InlineData("HTTP/1.1", "1.1")]
    [InlineData("HTTP/2", "2")]
    [InlineData("HTTP/3", "3")]
    public void Via_names_the_received_protocol(string protocol, string expected) =>
        Assert.Equal(expected, Via.ReceivedProtocol(protocol));

    [Theory]
    [InlineData("1.0", "1.0")]
    [InlineData("1.1", "1.1")]
    [InlineData("2.0", "2")]
    [InlineData("3.0", "3")]
    public void Via_names_the_upstreams_protocol(string version, string expected) =>
        Assert.Equal(expected, Via.ReceivedProtocol(Version.Parse(version)));
}

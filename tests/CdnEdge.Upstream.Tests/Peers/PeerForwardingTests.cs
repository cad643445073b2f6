using System.Diagnostics;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Upstream.Tests.Peers;

/// <summary>What passes on of what nodes say to each other: nothing that they don't say anew.</summary>
public class PeerForwardingTests
{
    [Fact]
    public async Task The_field_stays_between_two_nodes()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nCdnEdge-Peer: from=\"x\"\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin);

        var answer = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nCdnEdge-Peer: forged\r\nConnection: close\r\n\r\n");

        Assert.Empty(Head.Field(Assert.Single(origin.Requests), "CdnEdge-Peer"));
        Assert.Empty(Head.Field(answer, "CdnEdge-Peer"));
        Assert.Equal(["1"], Head.Field(answer, "X-Own"));
    }

    [Theory]
    [InlineData(false, "trace")]
    [InlineData(true, "trace")]
    [InlineData(false, "known")]
    public void A_request_has_one_id_on_all_its_way(bool fromClient, string source)
    {
        using var activity = source == "trace" ? new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start() : null;
        var request = new HttpRequestMessage(HttpMethod.Get, "http://h/");
        PeerRequestId.Remember(request, "here-1");
        if (fromClient)
            request.Headers.TryAddWithoutValidation("X-Request-Id", "client-1");

        var nodes = new PeerNodes();
        nodes.Asker.Sign(request, [], TimeSpan.FromSeconds(1));
        nodes.Asker.Sign(request, [], TimeSpan.FromSeconds(1));

        Assert.Equal([fromClient ? "client-1" : activity?.TraceId.ToHexString() ?? "here-1"], request.Headers.GetValues("X-Request-Id"));
    }

    [Theory]
    [InlineData(1, "/")]
    [InlineData(2, "/")]
    [InlineData(1, "/a%2Fb/%C3%A9/b%5B1%5D?q=%22a b%22&r=\u00e9#f")]
    [InlineData(2, "/a%2Fb/%C3%A9/b%5B1%5D?q=%22a b%22&r=\u00e9#f")]
    [InlineData(1, "/a/./b//c/?")]
    [InlineData(2, "/a/./b//c/?")]
    public async Task What_goes_over_the_wire_is_what_was_signed(int version, string target)
    {
        var nodes = new PeerNodes();
        var verdicts = new List<PeerVerdict>();
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Use = (context, _) =>
            {
                verdicts.Add(nodes.Answerer.Verify(context.Request, out var _));
                return Task.CompletedTask;
            },
        });
        using var client = new HttpClient();
        foreach (var host in new[] { null, "www.example.org", "WWW.Example.org:8080" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{(version == 1 ? edge.Port : edge.Http2Port)}{target}")
            {
                Version = new Version(version, version == 1 ? 1 : 0),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.Host = host;
            nodes.Asker.Sign(request, [], TimeSpan.FromSeconds(1));
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        }

        Assert.Equal([PeerVerdict.Accepted, PeerVerdict.Accepted, PeerVerdict.Accepted], verdicts);
    }

    [Fact]
    public async Task Without_a_key_there_are_no_peers()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin);

        Assert.False(edge.Services.GetRequiredService<PeerAuthentication>().IsEnabled);
        edge.Services.GetRequiredService<PeerMetrics>().ResponseRefused(PeerFault.BadAge);
    }

    [Fact]
    public void Every_refusal_has_a_name_of_its_own()
    {
        var verdicts = Enum.GetValues<PeerVerdict>().Except([PeerVerdict.NotAPeer, PeerVerdict.Accepted]).Select(PeerMetrics.NameOf).ToArray();
        var faults = Enum.GetValues<PeerFault>().Except([PeerFault.None]).Select(PeerMetrics.NameOf).ToArray();
        Assert.Equal(verdicts, verdicts.Distinct());
        Assert.Equal(faults, faults.Distinct());
    }
}

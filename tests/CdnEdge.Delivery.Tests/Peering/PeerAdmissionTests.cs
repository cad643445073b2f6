using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Peering;

/// <summary>Who is taken for another node, and what is believed of one.</summary>
public class PeerAdmissionTests
{
    private const string Plain = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData("malformed", 403)]
    [InlineData("bad-signature", 403)]
    [InlineData("clock-off", 403)]
    [InlineData("loops-back", 508)]
    [InlineData("too-many-hops", 508)]
    public async Task Who_claims_to_be_a_node_and_is_not_is_refused(string reason, int status)
    {
        var counted = new ConcurrentBag<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "cdnedge.peers.requests_refused")
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add((string)tags[0].Value!));
        listener.Start();
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n");
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x");
        if (reason == "bad-signature")
            node.Asking.Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        if (reason == "loops-back")
            node.Asking.Id = "fra-1";
        var request = node.Signed("/x", null, reason == "too-many-hops" ? ["ams-1"] : []);
        if (reason == "clock-off")
            node.Time.Advance(TimeSpan.FromSeconds(31));

        var answer = reason == "malformed" ? await node.Site.GetAsync("/x", "CdnEdge-Peer: nonsense\r\n") : await node.SendAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        Assert.Contains($"\r\n\r\n{status} ", answer);
        Assert.Equal(["cdnedge; detail=refused"], PeeredSite.Fields(answer, "Cache-Status"));
        Assert.Empty(PeeredSite.Fields(answer, "CdnEdge-Peer"));
        Assert.Contains(reason, counted);
    }

    [Fact]
    public async Task Without_a_key_the_field_says_nothing()
    {
        await using var origin = RawOrigin.Answering(Plain);
        await using var site = await CachedSite.StartAsync(origin);

        Assert.StartsWith("HTTP/1.1 200", await site.GetAsync("/x", "CdnEdge-Peer: nonsense\r\n"));

        Assert.Empty(PeeredSite.Fields(Assert.Single(origin.Requests), "CdnEdge-Peer"));
    }

    [Fact]
    public async Task The_origin_is_told_nothing_of_it()
    {
        await using var origin = RawOrigin.Answering(Plain);
        await using var node = await PeeredSite.StartAsync(origin);

        await node.AskAsync("/x");
        await node.AskAsync("/x", "Content-Length: 0\r\n", HttpMethod.Post);

        Assert.Equal(2, origin.Requests.Count);
        Assert.All(origin.Requests, request => Assert.Empty(PeeredSite.Fields(request, "CdnEdge-Peer")));
    }

    [Fact]
    public async Task A_field_that_only_nodes_send_tells_no_variants_apart()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: CdnEdge-Peer\r\nContent-Length: 0\r\n\r\n");
        await using var node = await PeeredSite.StartAsync(origin);

        await node.AskAsync("/x");
        node.Time.Advance(TimeSpan.FromSeconds(1));
        var (hit, _) = await node.AskAsync("/x");

        Assert.Contains("cdnedge; hit", hit);
    }

    [Theory]
    [InlineData(1, "cdnedge", 200)]
    [InlineData(1, "cdnedge, other", 200)]
    [InlineData(1, "cdnedge, cdnedge", 508)]
    [InlineData(2, "cdnedge, cdnedge", 200)]
    [InlineData(2, "cdnedge, other, cdnedge, cdnedge", 508)]
    public async Task One_name_stands_in_CDN_Loop_as_often_as_there_were_nodes(int nodes, string loop, int status)
    {
        await using var origin = RawOrigin.Answering(Plain);
        await using var node = await PeeredSite.StartAsync(origin, maxHops: 2);
        var request = node.Signed("/x", null, nodes == 2 ? ["ams-1"] : []);

        var answer = await node.SendAsync(request, $"CDN-Loop: {loop}\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        if (status == 200)
            Assert.Equal([loop + ", cdnedge"], PeeredSite.Fields(Assert.Single(origin.Requests), "CDN-Loop"));
    }

    [Fact]
    public async Task A_visitor_with_this_nodes_name_in_CDN_Loop_is_still_a_loop()
    {
        await using var origin = RawOrigin.Answering(Plain);
        await using var node = await PeeredSite.StartAsync(origin);
        Assert.StartsWith("HTTP/1.1 508 ", await node.Site.GetAsync("/x", "CDN-Loop: cdnedge\r\n"));
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "Content-Length: 0\r\n")]
    public async Task A_node_is_a_trusted_proxy(string method, string fields)
    {
        const string chain = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.example.org\r\nForwarded: for=192.0.2.7\r\n";
        await using var origin = RawOrigin.Answering(Plain);
        await using var node = await PeeredSite.StartAsync(origin);

        await node.AskAsync("/peer", chain + fields, new HttpMethod(method));
        await node.Site.AskAsync(method, "/visitor", chain + fields);

        var (ofPeer, ofVisitor) = (origin.Requests.ElementAt(0), origin.Requests.ElementAt(1));
        Assert.Equal(["192.0.2.7, 127.0.0.1"], PeeredSite.Fields(ofPeer, "X-Forwarded-For"));
        Assert.Equal(["https"], PeeredSite.Fields(ofPeer, "X-Forwarded-Proto"));
        Assert.Equal(["www.example.org"], PeeredSite.Fields(ofPeer, "X-Forwarded-Host"));
        Assert.Equal(["for=192.0.2.7, for=127.0.0.1;host=a;proto=http"], PeeredSite.Fields(ofPeer, "Forwarded"));
        Assert.Equal(["127.0.0.1"], PeeredSite.Fields(ofVisitor, "X-Forwarded-For"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Trace_and_request_id_pass_on(bool isTraced)
    {
        const string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        using var listener = new ActivityListener { ShouldListenTo = _ => isTraced, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        await using var origin = RawOrigin.Answering(Plain);
        await using var node = await PeeredSite.StartAsync(origin);

        await node.AskAsync("/x", $"traceparent: 00-{trace}-00f067aa0ba902b7-01\r\nX-Request-Id: r-1\r\n");

        var request = Assert.Single(origin.Requests);
        Assert.StartsWith($"00-{trace}-", Assert.Single(PeeredSite.Fields(request, "traceparent")), StringComparison.Ordinal);
        Assert.Equal(["r-1"], PeeredSite.Fields(request, "X-Request-Id"));
    }
}

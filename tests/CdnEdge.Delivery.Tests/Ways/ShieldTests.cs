using System.Net;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Library;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Storage;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Tests.Ways;

/// <summary>Nodes that collect the misses of others, and nodes that are asked for what they have.</summary>
public class ShieldTests
{
    private const string Key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    [Fact]
    public async Task A_shield_collects_the_misses_of_all_nodes()
    {
        var asked = 0;
        await using var origin = await OriginAsync(() => Interlocked.Increment(ref asked));
        await using var shield = await NodeAsync("fra-1", origin.Url);
        await using var one = await NodeAsync("lhr-1", origin.Url, shield: shield.Url);
        await using var other = await NodeAsync("lhr-2", origin.Url, shield: shield.Url);

        Assert.Equal("200 origin 1", await one.GetAsync("/a"));
        Assert.Equal("200 origin 1", await other.GetAsync("/a"));
        Assert.Equal("200 origin 1", await other.GetAsync("/a"));
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task What_a_shield_answers_keeps_its_age_and_tells_both_caches()
    {
        await using var origin = await Server.OriginAsync(static context =>
        {
            context.Response.Headers.Age = "7";
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers["Surrogate-Key"] = "red";
            return context.Response.WriteAsync("origin");
        });
        await using var shield = await NodeAsync("fra-1", origin.Url);
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: shield.Url);
        Assert.Equal("200 origin", await shield.GetAsync("/a"));

        using var first = await edge.SendAsync(HttpMethod.Get, "/a");

        Assert.Matches("^cdnedge; hit; ttl=5[0-9], cdnedge; fwd=uri-miss; fwd-status=200; stored$", string.Join(", ", first.Headers.GetValues("Cache-Status")));
        Assert.InRange(first.Headers.Age!.Value, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(30));
        Assert.False(first.Headers.Contains("Surrogate-Key"));
        Assert.False(first.Headers.Contains(PeerField.Name));
        Assert.Equal(["red"], edge.Cache.Memory.Find(KeyOf(edge, "/a"))!.Variants[0].Head.Tags.Tags);
    }

    [Fact]
    public async Task An_answer_older_than_a_purge_here_is_refused_and_fetched_past_the_shield()
    {
        var asked = 0;
        await using var origin = await OriginAsync(() => Interlocked.Increment(ref asked));
        await using var shield = await NodeAsync("fra-1", origin.Url);
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: shield.Url);
        Assert.Equal("200 origin 1", await edge.GetAsync("/a"));
        Assert.Equal("200 origin 2", await edge.GetAsync("/b"));

        // The shield hasn't heard of it.
        edge.Cache.Epochs.RaiseNow(PurgeScope.OfUrl(KeyOf(edge, "/a").Bytes), PurgeMode.Hard);

        Assert.Equal("200 origin 3", await edge.GetAsync("/a"));
        Assert.Equal("200 origin 3", await edge.GetAsync("/a"));
        Assert.Equal(0, edge.Destination("shields", 0).Failures);

        // What is purged there as well is good again by way of the shield, which others may be behind.
        shield.Cache.Epochs.RaiseNow(PurgeScope.Everything, PurgeMode.Hard);
        await PurgeAsync(edge, "/a");
        var before = edge.Destination("shields", 0).Requests;
        Assert.Equal("200 origin 4", await edge.GetAsync("/a"));
        Assert.Equal(before + 1, edge.Destination("shields", 0).Requests);
        Assert.Equal("200 origin 4", await shield.GetAsync("/a"));
    }

    [Fact]
    public async Task A_shield_that_is_gone_is_passed_by()
    {
        await using var origin = await OriginAsync(static () => 1);
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: "http://127.0.0.1:9/");

        Assert.Equal("200 origin 1", await edge.GetAsync("/a"));
    }

    [Fact]
    public async Task What_isnt_cached_goes_straight_to_the_origin()
    {
        await using var origin = await OriginAsync(static () => 1);
        await using var shield = await NodeAsync("fra-1", origin.Url);
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: shield.Url);

        using var answer = await edge.SendAsync(HttpMethod.Post, "/a", new StringContent("x"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(0, edge.Destination("shields", 0).Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("CdnEdge-Peer: from=\"fra-1\", at=1, fetched=0, sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:\r\n")]
    [InlineData("CdnEdge-Peer: nonsense!\r\n")]
    [InlineData("Age: 31556952000000\r\n")]
    public async Task What_is_no_nodes_answer_is_as_good_as_none_and_never_stored(string fields)
    {
        await using var origin = await OriginAsync(static () => 1);
        await using var impostor = RawOrigin.Answering($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{fields}Content-Length: 4\r\n\r\nevil");
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: impostor.Url);

        Assert.Equal("200 origin 1", await edge.GetAsync("/a"));
        Assert.Equal("200 origin 1", await edge.GetAsync("/a"));
        Assert.Equal(1, edge.Destination("shields", 0).Failures);
    }

    [Fact]
    public async Task Two_nodes_that_are_each_others_shield_ask_each_other_once_and_no_more()
    {
        var asked = 0;
        await using var origin = await OriginAsync(() => Interlocked.Increment(ref asked));
        var port = FreePort();
        await using var one = await NodeAsync("lhr-1", origin.Url, shield: $"http://127.0.0.1:{port}/");
        await using var other = await NodeAsync("fra-1", origin.Url, shield: one.Url, port: port);

        Assert.Equal("200 origin 1", await one.GetAsync("/a"));
        Assert.Equal(1, one.Destination("shields", 0).Requests);
        Assert.Equal(0, other.Destination("shields", 0).Requests);
    }

    [Fact]
    public async Task A_sibling_is_asked_for_what_it_has_and_for_nothing_else()
    {
        var asked = 0;
        await using var origin = await OriginAsync(() => Interlocked.Increment(ref asked));
        await using var sibling = await NodeAsync("lhr-2", origin.Url);
        await using var edge = await NodeAsync("lhr-1", origin.Url, siblings: sibling.Url);
        Assert.Equal("200 origin 1", await sibling.GetAsync("/a"));

        Assert.Equal("200 origin 1", await edge.GetAsync("/a"));
        Assert.Equal("200 origin 2", await edge.GetAsync("/b"));

        Assert.Equal((2L, 0L), (edge.Destination("siblings", 0).Requests, edge.Destination("siblings", 0).Failures));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task What_a_sibling_has_from_a_shield_is_as_old_as_it_is_there()
    {
        var asked = 0;
        await using var origin = await OriginAsync(() => Interlocked.Increment(ref asked));
        await using var shield = await NodeAsync("fra-1", origin.Url);
        await using var sibling = await NodeAsync("lhr-2", origin.Url, shield: shield.Url);
        await using var edge = await NodeAsync("lhr-1", origin.Url, siblings: sibling.Url);
        Assert.Equal("200 origin 1", await shield.GetAsync("/a"));
        Assert.Equal("200 origin 2", await shield.GetAsync("/b"));

        // Neither the shield nor the sibling, which asks the shield after it, has heard of it.
        await PurgeAsync(edge, "/a");
        Assert.Equal("200 origin 1", await sibling.GetAsync("/a"));
        Assert.Equal("200 origin 2", await sibling.GetAsync("/b"));

        Assert.Equal("200 origin 3", await edge.GetAsync("/a"));
        Assert.Equal("200 origin 2", await edge.GetAsync("/b"));
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("GET")]
    public async Task What_passes_through_two_nodes_is_as_old_as_it_is_at_the_last(string method)
    {
        var asked = 0;
        await using var origin = await OriginAsync(() => Interlocked.Increment(ref asked));
        await using var last = await NodeAsync("fra-1", origin.Url, maxHops: 2);

        // It stores nothing itself: what comes is too large for it.
        await using var middle = await NodeAsync("ams-1", origin.Url, shield: last.Url, maxHops: 2, maxObjectBytes: 1);
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: middle.Url, maxHops: 2);
        Assert.Equal("200 origin 1", await last.GetAsync("/a"));
        await PurgeAsync(edge, "/a");

        using var answer = await edge.SendAsync(new HttpMethod(method), "/a");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, asked);
        Assert.Equal(1, edge.Destination("shields", 0).Requests);
        Assert.Equal(1, middle.Destination("shields", 0).Requests);
    }

    /// <summary>A policy that hears no visitor: then the shield mustn't either, however generously it reads.</summary>
    [Theory]
    [InlineData("only-if-cached")]
    [InlineData("only-if-cached=1")]
    [InlineData("max-age=0, only-if-cached\"")]
    public async Task A_visitor_who_wants_nothing_but_what_is_stored_is_not_heard_by_the_shield(string cacheControl)
    {
        await using var origin = await OriginAsync(static () => 1);
        await using var shield = await NodeAsync("fra-1", origin.Url);
        await using var edge = await NodeAsync("lhr-1", origin.Url, shield: shield.Url, policy: new CachePolicy { HonourRequestDirectives = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/a") { Headers = { Host = WaySite.Site } };
        request.Headers.TryAddWithoutValidation("Cache-Control", cacheControl);

        using var answer = await edge.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("origin 1", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, shield.Destination("regional", 0).Requests);
        Assert.Equal(0, edge.Destination("regional", 0).Requests);
    }

    /// <summary>Long enough ago that what is fetched from now on is newer beyond doubt.</summary>
    private static async Task PurgeAsync(WaySite node, string path)
    {
        node.Cache.Epochs.RaiseNow(PurgeScope.OfUrl(KeyOf(node, path).Bytes), PurgeMode.Hard);
        await CachedSite.UntilAsync(() => node.Cache.MomentAt(DateTimeOffset.UtcNow.AddMilliseconds(-300)) == node.Cache.Epochs.Now, "the purge to be over");
    }

    private static CacheKey KeyOf(WaySite site, string path) => CacheKey.Of(site.Cache.Policies.Find(null), new Uri($"http://{WaySite.Site}{path}"));

    private static Task<Server> OriginAsync(Func<int> count) => Server.OriginAsync(context =>
    {
        context.Response.Headers.CacheControl = "max-age=60";
        return context.Response.WriteAsync($"origin {count()}");
    });

    private static Task<WaySite> NodeAsync(string id, string origin, string? shield = null, string? siblings = null, int port = 0, int maxHops = 1, long? maxObjectBytes = null, CachePolicy? policy = null)
    {
        var clusters = new Dictionary<string, string[]> { ["regional"] = [origin] };
        if (shield is not null)
            clusters["shields"] = [shield];
        if (siblings is not null)
            clusters["siblings"] = [siblings];
        return WaySite.StartAsync(
            clusters,
            options =>
            {
                options["regional"] = new() { Shield = shield is null ? null : "shields", Siblings = siblings is null ? null : "siblings", Hedging = new() { Enabled = false } };
                options["shields"] = new() { Peers = true, Hedging = new() { Enabled = false } };
                options["siblings"] = new() { Peers = true, Hedging = new() { Enabled = false } };
            },
            all: options => options.Peering = new() { Id = id, Key = Key, MaxHops = maxHops },
            policy: policy ?? new CachePolicy { MaxObjectBytes = maxObjectBytes },
            port: port);
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

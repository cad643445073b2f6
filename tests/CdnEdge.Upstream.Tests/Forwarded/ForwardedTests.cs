using System.Net;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.Tests.Scene;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Tests.Forwarded;

public class ForwardedTests
{
    private const string Spoofed = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
        + "X-Forwarded-Prefix: /p\r\nX-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\n";

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.0.0.0/8", "10.200.0.1", true)]
    [InlineData("10.1.2.3/8", "10.200.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.0.0.1", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.1", true)]
    [InlineData("fd00::/8", "fd12::1", true)]
    [InlineData("fd00::/8", "fe12::1", false)]
    [InlineData("0.0.0.0/0", "1.2.3.4", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    public void A_peer_is_trusted_by_address_or_network(string entry, string peer, bool expected) =>
        Assert.Equal(expected, new AddressList([entry]).Contains(IPAddress.Parse(peer)));

    [Theory]
    [InlineData("")]
    [InlineData("proxy.example")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/")]
    [InlineData("10")]
    [InlineData("10.0/8")]
    [InlineData("[fd00::1]")]
    [InlineData("fd00::/129")]
    public void What_is_neither_is_refused_by_name(string entry)
    {
        Assert.False(AddressList.TryParse(entry, out _));
        Assert.Contains($"'{entry}'", Assert.Throws<FormatException>(() => new AddressList([entry])).Message);
    }

    [Theory]
    [InlineData("192.0.2.1", "a.example", "https", "for=192.0.2.1;host=a.example;proto=https")]
    [InlineData("::ffff:192.0.2.1", "a.example:8080", "http", "for=192.0.2.1;host=\"a.example:8080\";proto=http")]
    [InlineData("2001:db8::1", "[::1]:80", "http", "for=\"[2001:db8::1]\";host=\"[::1]:80\";proto=http")]
    [InlineData("fe80::1%3", "", "http", "for=\"[fe80::1]\";proto=http")]
    [InlineData(null, "a", "http", "for=unknown;host=a;proto=http")]
    public void An_element_is_written_by_RFC_7239(string? peer, string host, string scheme, string expected) =>
        Assert.Equal(expected, ForwardedElement.Create(peer is null ? null : IPAddress.Parse(peer), host, scheme));

    [Theory]
    [InlineData("192.0.2.1, 2001:db8::1", "for=192.0.2.1, for=\"[2001:db8::1]\"")]
    [InlineData("192.0.2.1:4711,[2001:db8::1]:80", "for=192.0.2.1, for=\"[2001:db8::1]\"")]
    [InlineData("nonsense\", for=x", "for=unknown, for=unknown")]
    [InlineData(" , ", null)]
    public void An_X_Forwarded_For_chain_becomes_elements(string chain, string? expected) =>
        Assert.Equal(expected, ForwardedElement.FromXForwardedFor(chain));

    [Fact]
    public async Task Claims_of_an_untrusted_peer_are_replaced()
    {
        var request = await RequestSeenAsync(new EdgeSettings(), Spoofed);

        Assert.Equal(["127.0.0.1"], Head.Field(request, "X-Forwarded-For"));
        Assert.Equal(["http"], Head.Field(request, "X-Forwarded-Proto"));
        Assert.Equal(["site.example"], Head.Field(request, "X-Forwarded-Host"));
        Assert.Empty(Head.Field(request, "X-Forwarded-Prefix"));
        Assert.Empty(Head.Field(request, "X-Forwarded-Port"));
        Assert.Equal(["for=127.0.0.1;host=site.example;proto=http"], Head.Field(request, "Forwarded"));
    }

    [Fact]
    public async Task A_trusted_proxys_chain_is_extended()
    {
        var request = await RequestSeenAsync(Trusting("127.0.0.0/8"), Spoofed);

        Assert.Equal(["6.6.6.6, 127.0.0.1"], Head.Field(request, "X-Forwarded-For"));
        Assert.Equal(["https"], Head.Field(request, "X-Forwarded-Proto"));
        Assert.Equal(["evil"], Head.Field(request, "X-Forwarded-Host"));
        Assert.Equal(["1"], Head.Field(request, "X-Forwarded-Port"));
        Assert.Equal(["for=6.6.6.6, for=127.0.0.1;host=site.example;proto=http"], Head.Field(request, "Forwarded"));
    }

    [Fact]
    public async Task A_trusted_proxy_that_only_speaks_X_Forwarded_For_is_understood()
    {
        var request = await RequestSeenAsync(Trusting("127.0.0.1"), "X-Forwarded-For: 6.6.6.6\r\n");

        Assert.Equal(["for=6.6.6.6, for=127.0.0.1;host=site.example;proto=http"], Head.Field(request, "Forwarded"));
        Assert.Equal(["http"], Head.Field(request, "X-Forwarded-Proto"));
    }

    [Fact]
    public async Task Neither_is_sent_when_switched_off_and_claims_go_all_the_same()
    {
        var request = await RequestSeenAsync(
            new EdgeSettings { Forwarding = new ForwardingOptions { XForwarded = false, Forwarded = false } }, Spoofed);

        Assert.DoesNotContain("orwarded", request);
    }

    [Fact]
    public async Task A_route_with_its_own_forwarded_transform_is_left_alone()
    {
        var request = await RequestSeenAsync(
            new EdgeSettings { Route = route => route.WithTransformXForwarded(xDefault: ForwardedTransformActions.Off) }, Spoofed);

        Assert.Equal(["6.6.6.6"], Head.Field(request, "X-Forwarded-For"));
    }

    [Fact]
    public async Task A_field_that_the_route_sets_is_left_alone()
    {
        var request = await RequestSeenAsync(
            new EdgeSettings { Route = route => route.WithTransformRequestHeader("X-Forwarded-Proto", "https", append: false) }, "");

        Assert.Equal(["https"], Head.Field(request, "X-Forwarded-Proto"));
        Assert.Equal(["127.0.0.1"], Head.Field(request, "X-Forwarded-For"));
    }

    [Fact]
    public async Task A_route_that_copies_only_allowed_fields_still_tells_who_asked()
    {
        var request = await RequestSeenAsync(
            new EdgeSettings { Route = route => route.WithTransformRequestHeadersAllowed("X-Forwarded-For", "Accept") }, Spoofed + "Accept: a/b\r\nX-Other: 1\r\n");

        Assert.Equal(["127.0.0.1"], Head.Field(request, "X-Forwarded-For"));
        Assert.Equal(["a/b"], Head.Field(request, "Accept"));
        Assert.Empty(Head.Field(request, "X-Other"));
    }

    [Fact]
    public async Task The_original_host_is_kept_by_default() =>
        Assert.Equal(["site.example"], Head.Field(await RequestSeenAsync(new EdgeSettings(), ""), "Host"));

    [Fact]
    public async Task The_destinations_host_is_sent_where_the_route_says_so()
    {
        var request = await RequestSeenAsync(new EdgeSettings { Route = route => route.WithTransformUseOriginalHostHeader(false) }, "");
        Assert.StartsWith("127.0.0.1:", Assert.Single(Head.Field(request, "Host")));
    }

    [Fact]
    public async Task The_destinations_host_is_sent_where_the_option_says_so()
    {
        var request = await RequestSeenAsync(new EdgeSettings { Forwarding = new ForwardingOptions { OriginalHost = false } }, "");
        Assert.StartsWith("127.0.0.1:", Assert.Single(Head.Field(request, "Host")));
    }

    [Fact]
    public async Task A_destination_with_a_Host_of_its_own_gets_that_one() =>
        Assert.Equal(["o.example"], Head.Field(await RequestSeenAsync(new EdgeSettings { DestinationHost = "o.example" }, ""), "Host"));

    [Fact]
    public async Task A_Host_that_the_route_writes_wins() =>
        Assert.Equal(["written.example"], Head.Field(
            await RequestSeenAsync(
                new EdgeSettings
                {
                    DestinationHost = "o.example",
                    Route = route => route.WithTransformRequestHeader("Host", "written.example", append: false),
                },
                ""),
            "Host"));

    private static EdgeSettings Trusting(string proxy) => new() { Forwarding = new ForwardingOptions { TrustedProxies = [proxy] } };

    private static async Task<string> RequestSeenAsync(EdgeSettings settings, string fields)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await Edge.StartAsync(origin, settings);
        await edge.AskAsync($"GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n{fields}\r\n");
        return Assert.Single(origin.Requests);
    }
}

using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Routes: which hosts are served, by which policy, and whose word is taken for where a request comes from.</summary>
public sealed class RouteScenarios(RouteScenarios.RoutedEdge edge) : IClassFixture<RouteScenarios.RoutedEdge>
{
    public sealed class RoutedEdge : Edge
    {
        private protected override IEnumerable<string> Arguments => [];

        private protected override string Configuration => """
            {
              "CdnEdge": {
                "Policies": {
                  "never": { "Enabled": false },
                  "by-name": { "Key": { "Query": "Allow", "QueryParameters": [ "name" ] }, "DefaultTtl": "00:10:00" },
                  "guests": { "Bypass": { "Cookies": [ "session", "wp_*" ] }, "HonourRequestDirectives": false }
                },
                "Forwarding": { "TrustedProxies": [ "127.0.0.0/8" ] }
              },
              "ReverseProxy": {
                "Routes": {
                  "shop": { "ClusterId": "origin", "Match": { "Hosts": [ "shop.example" ], "Path": "/{**rest}" } },
                  "live": { "ClusterId": "origin", "Match": { "Hosts": [ "live.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "never" } },
                  "guests": { "ClusterId": "origin", "Match": { "Hosts": [ "guests.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "guests" } },
                  "people-change": { "ClusterId": "origin", "Order": -1, "Match": { "Hosts": [ "people.example" ], "Path": "/{**rest}", "Methods": [ "POST" ] }, "Metadata": { "CdnEdge.CachePolicy": "never" } },
                  "small": { "ClusterId": "origin", "Match": { "Hosts": [ "small.example" ], "Path": "/{**rest}" }, "MaxRequestBodySize": 10 },
                  "people": { "ClusterId": "origin", "Match": { "Hosts": [ "people.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "by-name" } }
                },
                "Clusters": { "origin": { "Destinations": { "a": { "Address": "ORIGIN" } } } }
              }
            }
            """;
    }

    [Fact]
    public async Task A_host_that_is_not_served_is_refused()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        var response = await edge.Get(page, "Host: unknown.example");

        Assert.InRange(response.Status, 400, 499);
        Assert.Empty(page.Requests);
    }

    [Theory]
    [InlineData("Content-Length: 100", "")]
    [InlineData("Content-Length: 100\r\nExpect: 100-continue", "")]
    [InlineData("Transfer-Encoding: chunked", "b\r\nhello world\r\n0\r\n\r\n")]
    public async Task A_body_larger_than_the_route_takes_is_refused_and_not_forwarded(string framing, string body)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));
        await using var client = await edge.Connect();

        await client.Ask("POST", page.Path, "Host: small.example", framing);
        await client.Send(body);
        var response = await client.Receive();

        Assert.Equal((413, "cdnedge; detail=refused"), (response.Status, response.CacheStatus));
        Assert.True(await client.IsClosed(), "The connection was left open.");
        Assert.Empty(page.Requests);
    }

    [Fact]
    public async Task A_body_that_turns_out_to_be_larger_than_the_route_takes_breaks_off()
    {
        var arriving = new Signal("the body's beginning at the origin");
        var page = edge.Origin.Serves(async origin =>
        {
            while (origin.Body.Length < 5)
                await origin.ReadBodyPiece();
            arriving.Open();
            await origin.ReadBody();
            await origin.Fresh("hello");
        });
        await using var client = await edge.Connect();

        await client.Ask("POST", page.Path, "Host: small.example", "Transfer-Encoding: chunked");
        await client.Send("5\r\nhello\r\n");
        await arriving.Opened();
        await client.Send("6\r\n world\r\n0\r\n\r\n");
        var response = await client.Receive();

        Assert.Equal(413, response.Status);
        Assert.StartsWith("cdnedge; error=http_request_error", response.Headers["Proxy-Status"], StringComparison.Ordinal);
        Assert.True(await client.IsClosed(), "The connection was left open.");
    }

    [Fact]
    public async Task A_request_that_no_route_takes_hides_no_other()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));
        await using var client = await edge.Connect();

        await client.Send($"POST / HTTP/1.1\r\nHost: unknown.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\nGET {page.Path} HTTP/1.1\r\nHost: shop.example\r\n\r\n");

        Assert.InRange((await client.Receive("POST")).Status, 400, 499);
        Assert.True(await client.IsClosed(), "The connection was left open.");
        Assert.Empty(page.Requests);
    }

    [Fact]
    public async Task A_route_whose_policy_is_off_is_never_cached()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: live.example");
        var second = await edge.Get(page, "Host: live.example");

        Assert.Equal("bypass", second.Forwarded);
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task Only_the_query_parameters_that_the_policy_names_tell_objects_apart()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, [], origin.Target));

        await edge.Get(page.Path + "?name=ann&utm_source=mail", "Host: people.example");
        var ann = await edge.Get(page.Path + "?utm_source=web&name=ann", "Host: people.example");
        var bob = await edge.Get(page.Path + "?name=bob", "Host: people.example");

        Assert.True(ann.IsHit, ann.CacheStatus);
        Assert.Equal(page.Path + "?name=bob", bob.Text);
    }

    [Theory]
    [InlineData("session=1")]
    [InlineData("a=b c; session=x y")]
    [InlineData("session={\"user\":\"ann\", \"id\":7}")]
    [InlineData("wp_logged[in]=1")]
    [InlineData("session")]
    public async Task A_cookie_of_the_policys_goes_past_the_cache_whatever_its_value(string cookie)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Headers["Cookie"] ?? "for guests"));

        var member = await edge.Get(page, "Host: guests.example", $"Cookie: {cookie}");
        var guest = await edge.Get(page, "Host: guests.example", "Cookie: sessions=1; x=session=1");

        Assert.Equal(("bypass", cookie), (member.Forwarded, member.Text));
        Assert.Equal(("uri-miss", "sessions=1; x=session=1"), (guest.Forwarded, guest.Text));
    }

    [Fact]
    public async Task Where_request_directives_do_not_count_no_store_does_not_either()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: guests.example", "Cache-Control: no-store");

        Assert.True((await edge.Get(page, "Host: guests.example", "Cache-Control: no-store")).IsHit);
    }

    [Theory]
    [InlineData("?name=ann&from=form", null)]
    [InlineData("", "?from=form&name=ann")]
    public async Task A_change_invalidates_by_the_keys_of_every_policy(string target, string? location)
    {
        // Given a page stored by a policy's key, and changes that take another route, with another policy,
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, [], "old"),
            origin => origin.Respond(201, location is null ? [] : [$"Location: {location}"]),
            origin => origin.Respond(200, [], "new"));
        await edge.Get(page.Path + "?name=ann", "Host: people.example");

        await edge.Ask("POST", page.Path + target, "Host: people.example", "Content-Length: 0");

        Assert.Equal("new", (await edge.Get(page.Path + "?name=ann", "Host: people.example")).Text);
    }

    [Fact]
    public async Task A_trusted_proxys_word_is_passed_on_with_the_edges_own_behind_it()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: shop.example", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1;proto=https");

        var seen = page.Requests[0].Headers;
        Assert.Equal("192.0.2.1, 127.0.0.1", seen["X-Forwarded-For"]);
        Assert.Matches("^for=192.0.2.1;proto=https, ?.*for=127.0.0.1", seen["Forwarded"]);
    }
}

using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Cache poisoning by fields that aren't in the key: what one client claims must not be in what others get.
/// </summary>
public sealed class HostileHeaderScenarios(HostileHeaderScenarios.ManySites edge) : IClassFixture<HostileHeaderScenarios.ManySites>
{
    /// <summary>Sites whose policies have something to say about fields, and one that hasn't.</summary>
    public sealed class ManySites : Edge
    {
        private protected override IEnumerable<string> Arguments => [];

        private protected override string Configuration => """
            {
              "CdnEdge": {
                "Policies": {
                  "keyed": { "Key": { "Headers": [ "X-Forwarded-Host", "X-HTTP-Method-Override" ] } },
                  "passing": { "PassHeaders": [ "X-Real-IP", "X-Forwarded-Port" ] },
                  "never": { "Enabled": false }
                }
              },
              "ReverseProxy": {
                "Routes": {
                  "plain": { "ClusterId": "origin", "Match": { "Hosts": [ "plain.example" ], "Path": "/{**rest}" } },
                  "keyed": { "ClusterId": "origin", "Match": { "Hosts": [ "keyed.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "keyed" } },
                  "passing": { "ClusterId": "origin", "Match": { "Hosts": [ "passing.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "passing" } },
                  "never": { "ClusterId": "origin", "Match": { "Hosts": [ "never.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "never" } },
                  "own": { "ClusterId": "origin", "Match": { "Hosts": [ "own.example" ], "Path": "/{**rest}" }, "Transforms": [ { "X-Forwarded": "Append" } ] }
                },
                "Clusters": { "origin": { "Destinations": { "a": { "Address": "ORIGIN" } } } }
              }
            }
            """;
    }

    public static TheoryData<string> Claims =>
    [
        "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Path",
        "X-Forwarded-SSL", "X-Forwarded-Anything", "Forwarded", "X-Host", "X-Original-Host", "X-Original-URL", "X-Original-URI", "X-Original-Path",
        "X-Rewrite-URL", "X-Override-URL", "X-HTTP-Path-Override", "X-HTTP-Host-Override", "X-HTTP-Method-Override", "X-HTTP-Method",
        "X-Method-Override", "X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP", "X-Originating-IP",
        "X-Remote-Addr", "X-Middleware-Subrequest", "X-Now-Route-Matches", "X-Invoke-Status", "X-Sendfile-Type", "X-Accel-Mapping",
        "X-Scheme", "Front-End-Https", "x-forwarded-HOST", "X_Forwarded_Host", "X_Original_URL", "X_HTTP_Method_Override",
    ];

    [Theory]
    [MemberData(nameof(Claims))]
    public async Task A_claim_that_is_not_in_the_key_does_not_reach_the_origin(string name)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.ToString()));

        await edge.Get(page, "Host: plain.example", $"{name}: evil.example");
        var visitor = await edge.Get(page, "Host: plain.example");

        Assert.True(visitor.IsHit, visitor.CacheStatus);
        Assert.DoesNotContain("evil", visitor.Text, StringComparison.OrdinalIgnoreCase);
        Assert.True(page.Requests[0].Headers[name] is null or "plain.example" or "for=127.0.0.1;host=plain.example;proto=http", page.Requests[0].ToString());
    }

    [Theory]
    [MemberData(nameof(Claims))]
    public async Task Nor_past_the_cache(string name)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: never.example", $"{name}: evil.example");

        Assert.DoesNotContain("evil", page.Requests[0].ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task What_the_edge_knows_itself_the_origin_is_told()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: plain.example", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: gopher");

        var seen = page.Requests[0].Headers;
        Assert.Equal(("127.0.0.1", "http", "plain.example"), (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"], seen["X-Forwarded-Host"]));
    }

    [Fact]
    public async Task A_claim_that_is_in_the_key_reaches_the_origin_and_those_alone_who_made_it()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh($"for {origin.Headers["X-Forwarded-Host"]}"));

        var other = await edge.Get(page, "Host: keyed.example", "X-Forwarded-Host: other.example");
        var visitor = await edge.Get(page, "Host: keyed.example");
        var again = await edge.Get(page, "Host: keyed.example", "X-Forwarded-Host: other.example");

        Assert.Equal(("for other.example", "for keyed.example", "for other.example"), (other.Text, visitor.Text, again.Text));
        Assert.True(again.IsHit, again.CacheStatus);
    }

    [Fact]
    public async Task A_claim_that_the_policy_lets_pass_passes()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: passing.example", "X-Real-IP: 192.0.2.1", "X-Forwarded-Port: 8443", "X-Host: evil.example");

        var seen = page.Requests[0].Headers;
        Assert.Equal(("192.0.2.1", "8443", null), (seen["X-Real-IP"], seen["X-Forwarded-Port"], seen["X-Host"]));
    }

    [Fact]
    public async Task Where_the_route_has_a_transform_of_its_own_a_chain_is_its_business()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: own.example", "X-Forwarded-For: 192.0.2.1", "X-Host: evil.example");

        var seen = page.Requests[0].Headers;
        Assert.Equal(("192.0.2.1, 127.0.0.1", null), (seen["X-Forwarded-For"], seen["X-Host"]));
    }

    [Fact]
    public async Task A_POST_may_override_its_method_but_not_its_URL()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, []));

        await edge.Ask("POST", page.Path, "Host: plain.example", "Content-Length: 0", "X-HTTP-Method-Override: PATCH", "X-Original-URL: /admin");

        Assert.Equal(("PATCH", null), (page.Requests[0].Headers["X-HTTP-Method-Override"], page.Requests[0].Headers["X-Original-URL"]));
    }

    [Fact]
    public async Task A_Vary_on_a_claim_compares_what_the_origin_saw()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh($"for {origin.Headers["X-Forwarded-Host"]}", "Vary: X-Forwarded-Host, X-Forwarded-Proto, X-Original-URL"));

        await edge.Get(page, "Host: plain.example", "X-Forwarded-Host: evil.example", "X-Original-URL: /a");
        var visitor = await edge.Get(page, "Host: plain.example");
        var attacker = await edge.Get(page, "Host: plain.example", "X-Forwarded-Host: worse.example", "X-Forwarded-Proto: gopher");

        Assert.Equal(("for plain.example", "for plain.example"), (visitor.Text, attacker.Text));
        Assert.Single(page.Requests);
    }

    [Theory]
    [InlineData("GET", "Accept: */*")]
    [InlineData("HEAD", "Accept: */*")]
    [InlineData("GET", "Range: bytes=0-1")]
    [InlineData("GET", "Cache-Control: only-if-cached")]
    [InlineData("GET", "X-Forwarded-Proto: gopher")]
    public async Task What_varies_by_what_the_edge_writes_is_answered_from_the_store(string method, string field)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "Vary: X-Forwarded-Proto", "ETag: \"1\""));
        await edge.Get(page, "Host: plain.example");

        var response = await edge.Ask(method, page.Path, "Host: plain.example", field);

        Assert.True(response.IsHit, response.CacheStatus);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_Vary_on_who_asked_is_one_on_everything()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "Vary: X-Forwarded-For"));

        await edge.Get(page, "Host: plain.example");
        var second = await edge.Get(page, "Host: plain.example");

        Assert.False(second.IsHit, second.CacheStatus);
    }

    [Fact]
    public async Task A_revalidation_in_the_background_carries_no_claims_either()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-while-revalidate=600", "ETag: \"1\""], origin.ToString()));
        await edge.Get(page, "Host: plain.example");
        await Deadline.Until(async () => (await edge.Get(page, "Host: plain.example", "Cache-Control: max-stale", "X-Forwarded-Host: evil.example", "X-Original-URL: /evil")).CacheStatus.Contains("ttl=-", StringComparison.Ordinal), "the page to be stale");

        await page.Asked(2);

        Assert.DoesNotContain("evil", page.Requests[1].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_to_the_same_URL_by_https_is_not_stored()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(301, ["Cache-Control: max-age=600", $"Location: https://plain.example{origin.Target}"]));

        await edge.Get(page, "Host: plain.example");
        var second = await edge.Get(page, "Host: plain.example");

        Assert.Equal((301, false), (second.Status, second.IsHit));
        Assert.Contains("detail=scheme-redirect", second.CacheStatus, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PLAIN.example")]
    [InlineData("plain.example:80")]
    [InlineData("plain.example:443")]
    [InlineData("plain.EXAMPLE.")]
    public async Task Spellings_of_a_host_that_share_a_key_look_alike_to_the_origin(string host)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Headers["Host"]!));

        var first = await edge.Get(page, $"Host: {host}");

        // One that no route takes is as good.
        Assert.True(first is { Status: 200, Text: "plain.example" } or { Status: 421 }, first.ToString());
        Assert.DoesNotContain(page.Requests, request => request.Headers["Host"] != "plain.example" || request.Headers["X-Forwarded-Host"] != "plain.example");
    }

    [Fact]
    public async Task A_GET_with_a_body_is_neither_answered_from_the_cache_nor_stored()
    {
        var page = edge.Origin.Serves(async origin => await origin.Fresh($"for [{System.Text.Encoding.Latin1.GetString(await origin.ReadBody())}]"));

        var fat = await edge.Send($"GET {page.Path} HTTP/1.1\r\nHost: plain.example\r\nContent-Length: 4\r\n\r\nevil");
        var visitor = await edge.Get(page, "Host: plain.example");
        var again = await edge.Send($"GET {page.Path} HTTP/1.1\r\nHost: plain.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n");

        Assert.Equal(("for [evil]", "for []", "for [evil]"), (fat.Text, visitor.Text, again.Text));
        Assert.Equal("bypass", fat.Forwarded);
    }
}

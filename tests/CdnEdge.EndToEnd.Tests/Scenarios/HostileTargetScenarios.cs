using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Cache poisoning and deception by URLs that two readers read differently: the key and what the origin sees always agree.
/// </summary>
public sealed class HostileTargetScenarios : IClassFixture<HostileTargetScenarios.ManySites>
{
    private static int _hosts;

    private readonly ManySites _edge;

    public HostileTargetScenarios(ManySites edge)
    {
        _edge = edge;
        edge.Origin.Otherwise = static origin => origin.Fresh(origin.Target);
    }

    public sealed class ManySites : Edge
    {
        private protected override IEnumerable<string> Arguments => [];

        private protected override string Configuration => """
            {
              "CdnEdge": {
                "Policies": {
                  "utm": { "Key": { "Query": "Deny", "QueryParameters": [ "utm_*" ], "SortQuery": true } },
                  "named": { "Key": { "Query": "Allow", "QueryParameters": [ "name" ] } },
                  "none": { "Key": { "Query": "None" } },
                  "whole": { "Key": { "Query": "Deny", "QueryParameters": [ "token" ], "ForwardWholeQuery": true } },
                  "assets": { "IgnoreOriginCacheControl": true, "DefaultTtl": "01:00:00", "SetCookie": "Strip", "CheckExtension": true },
                  "unchecked": { "IgnoreOriginCacheControl": true, "DefaultTtl": "01:00:00" }
                }
              },
              "ReverseProxy": {
                "Routes": {
                  "plain": { "ClusterId": "origin", "Order": 1, "Match": { "Path": "/{**rest}" } },
                  "utm": { "ClusterId": "origin", "Match": { "Hosts": [ "*.utm.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "utm" } },
                  "named": { "ClusterId": "origin", "Match": { "Hosts": [ "*.named.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "named" } },
                  "none": { "ClusterId": "origin", "Match": { "Hosts": [ "*.none.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "none" } },
                  "whole": { "ClusterId": "origin", "Match": { "Hosts": [ "*.whole.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "whole" } },
                  "assets": { "ClusterId": "origin", "Match": { "Hosts": [ "*.assets.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "assets" } },
                  "unchecked": { "ClusterId": "origin", "Match": { "Hosts": [ "*.unchecked.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "unchecked" } }
                },
                "Clusters": { "origin": { "Destinations": { "a": { "Address": "ORIGIN" } } } }
              }
            }
            """;
    }

    private static readonly string[] Targets =
    [
        "/a/b", "/a/b/", "/a//b", "//a/b", "/a/./b", "/a/x/../b", "/a/%2e/b", "/a/x/%2e%2e/b", "/a/x/.%2E/b", "/a/x/..", "/a",
        "/a%2fb", "/a%2Fb", "/a%252fb", "/a%5cb", "/a%5Cb", "/a%255cb", "/a;b", "/a%3bb", "/a;v=1/b", "/a%3Bv=1/b", "/a/b;.css", "/a/b%3b.css",
        "/a/b%3f.css", "/a/b%3F.css", "/a/b%23.css", "/a/b%0a.css", "/a/b%0A.css", "/a/b%0d%0a.css", "/a/b%09.css", "/a/b%20.css", "/a/b+.css",
        "/a/b.css", "/a/b%2ecss", "/a/b%252ecss", "/A/b", "/%61/b", "/%41/b", "/a/b%7e", "/a/b~", "/a/b%c3%a4", "/a/b%C3%A4", "/a/b%e4", "/a/b%ff%fe",
        "/a/b?", "/a/b?x=1", "/a/b?x=1&x=2", "/a/b?x=2&x=1", "/a/b?x=1;y=2", "/a/b?x=1%26y=2", "/a/b?X=1", "/a/b?%78=1", "/a/b?x=%31", "/a/b?x=1&", "/a/b?&x=1",
        "/a/b?x=1?y=2", "/a/b?x=a+b", "/a/b?x=a%20b", "/a/b?x=a/../b", "/a/b?x=a%2f..%2fb", "/a/b?x=\"<>`{|}", "/a/b?x=%22%3C%3E", "/a/b?x=\\y", "/a/b?x=%", "/a/b?x=%zz",
        "/a/b%3fx=1", "/a/b%26x=1", "/a/b%00", "/a/...", "/a/..b", "/a/b..", "/a/b:80", "/a/@b", "/a/$b,c", "/a/'b'", "/a/(b)", "/a/%7Bb%7D", "/a/|b",
    ];

    [Fact]
    public async Task Two_targets_share_an_answer_only_if_the_origin_sees_the_same()
    {
        await using var client = await _edge.Connect();
        var seen = new Dictionary<string, string>();
        foreach (var target in Targets)
        {
            await using var own = await _edge.Connect();
            var response = await own.Get(target, $"Host: h{Interlocked.Increment(ref _hosts)}.example");
            if (response.Status == 200)
                seen[target] = response.Text;
            else
                Assert.InRange(response.Status, 400, 499);
        }

        var shared = 0;
        foreach (var first in seen.Keys)
        {
            var host = $"Host: h{Interlocked.Increment(ref _hosts)}.example";
            await client.Get(first, host);
            foreach (var second in seen.Keys)
            {
                // Only from the store, so that the first one's answer is the only one that there is.
                var response = await client.Get(second, host, "Cache-Control: only-if-cached");
                if (response.Status != 200)
                    continue;
                shared++;
                Assert.True(response.Text == seen[second], $"{second} is answered with the origin's answer to {first}, which saw {response.Text} and not {seen[second]}.");
            }
        }

        // The property isn't empty: each shares with itself, and some with others.
        Assert.True(shared > seen.Count, $"{shared} of {seen.Count}");
        Assert.InRange(seen.Count, 60, Targets.Length);
    }

    [Theory]
    [InlineData("/static/..%2fadmin")]
    [InlineData("/static/..%2Fadmin")]
    [InlineData("/static/%2e%2e%2fadmin")]
    [InlineData("/static/%2f../admin")]
    [InlineData("/static/x%2f..%2f..%2fadmin")]
    [InlineData("/static/..%5cadmin")]
    [InlineData("/static/%2e%2e%5cadmin")]
    [InlineData("/static/..;/admin")]
    [InlineData("/static/..;x=1/admin")]
    [InlineData("/static/.%2e;/admin")]
    [InlineData("/static/..%3b/admin")]
    [InlineData("/static/..\\admin")]
    [InlineData("/static\\admin")]
    [InlineData("/a#/../b")]
    [InlineData("/a%00.css")]
    public async Task A_path_that_climbs_for_some_readers_only_is_refused(string target)
    {
        var before = _edge.Origin.Requests.Count;

        var response = await _edge.Get(target, "Host: a.example");

        Assert.Equal(400, response.Status);
        Assert.Equal(before, _edge.Origin.Requests.Count);
    }

    [Theory]
    [InlineData("/a..%2fb")]
    [InlineData("/a/..%252fb")]
    [InlineData("/a;b/..c")]
    [InlineData("/a%2f.../b")]
    [InlineData("/a%2f../b")]
    [InlineData("/a/.%2fb")]
    [InlineData("/a/x/../b")]
    public async Task What_only_looks_like_one_passes(string target) =>
        Assert.Equal(200, (await _edge.Get(target, "Host: a.example")).Status);

    [Theory]
    [InlineData("utm", "?b=2&utm_source=evil&a=1", "?a=1&b=2")]
    [InlineData("utm", "?utm_source=evil", "")]
    [InlineData("utm", "?%75tm_source=evil&a=1", "?a=1")]
    [InlineData("utm", "?utm_content=1;callback=evil", "?utm_content=1;callback=evil")] // what another reader takes for two stays in the key
    [InlineData("utm", "?a=1&a=2&utm_a=3", "?a=1&a=2")]
    [InlineData("named", "?name=x&callback=evil", "?name=x")]
    [InlineData("named", "?name=x&name=evil", "?name=x&name=evil")]
    [InlineData("none", "?callback=evil", "")]
    public async Task A_parameter_that_the_key_has_not_the_origin_has_not_either(string site, string sent, string seen)
    {
        var host = $"Host: h{Interlocked.Increment(ref _hosts)}.{site}.example";

        var attacker = await _edge.Get($"/page{sent}", host);
        var visitor = await _edge.Get($"/page{seen}", host);

        Assert.Equal(($"/page{seen}", $"/page{seen}"), (attacker.Text, visitor.Text));
        Assert.True(visitor.IsHit, visitor.CacheStatus);
    }

    [Fact]
    public async Task Where_the_operator_says_so_the_origin_sees_the_whole_query()
    {
        var host = $"Host: h{Interlocked.Increment(ref _hosts)}.whole.example";

        var first = await _edge.Get("/page?a=1&token=secret", host);
        var second = await _edge.Get("/page?a=1&token=other", host);

        Assert.Equal("/page?a=1&token=secret", first.Text);
        Assert.True(second.IsHit, second.CacheStatus);
    }

    [Theory]
    [InlineData("/account/x.css")]
    [InlineData("/account;x.css")]
    [InlineData("/account%0ax.css")]
    [InlineData("/account%3fx.css")]
    [InlineData("/account%23x.css")]
    [InlineData("/account/x.css?y=1")]
    [InlineData("/account.css")]
    [InlineData("/account/%2ejpg")]
    public async Task An_extension_makes_nothing_storable(string target)
    {
        var number = 0;
        _edge.Origin.Otherwise = origin => origin.Respond(200, ["Cache-Control: private", "Content-Type: text/html"], $"account {++number}");
        var host = $"Host: h{Interlocked.Increment(ref _hosts)}.example";

        var victim = await _edge.Get(target, host, "Cookie: session=victim");
        var attacker = await _edge.Get(target, host);

        Assert.Equal(("account 1", "account 2"), (victim.Text, attacker.Text));
        Assert.False(attacker.IsHit, attacker.CacheStatus);
    }

    [Theory]
    [InlineData("/account/x.css", "text/html; charset=utf-8")]
    [InlineData("/account;x.css", "text/html")]
    [InlineData("/account%0ax.css", "text/html")]
    [InlineData("/account%3fx.css", "text/html")]
    [InlineData("/account/x.JPG", "application/json")]
    [InlineData("/account/x.js", "application/json")]
    [InlineData("/account/x.woff2", "text/plain")]
    [InlineData("/account/x.pdf", "text/html")]
    [InlineData("/account/x.zip", "application/json")]
    [InlineData("/account/x.png", null)]
    public async Task Where_the_extension_is_checked_a_page_that_is_no_such_file_is_not_stored(string target, string? type)
    {
        var number = 0;
        _edge.Origin.Otherwise = origin => origin.Respond(200, ["Cache-Control: no-store", .. type is null ? Array.Empty<string>() : [$"Content-Type: {type}"]], $"account {++number}");
        var host = $"Host: h{Interlocked.Increment(ref _hosts)}.assets.example";

        var victim = await _edge.Get(target, host, "Cookie: session=victim");
        var attacker = await _edge.Get(target, host);

        Assert.Equal(("account 1", "account 2"), (victim.Text, attacker.Text));
        Assert.Contains("detail=extension", victim.CacheStatus, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/site.css", "text/css; charset=utf-8")]
    [InlineData("/logo.png", "image/webp")]
    [InlineData("/app.mjs", "text/javascript")]
    [InlineData("/font.woff2", "application/octet-stream")]
    [InlineData("/paper.pdf", "application/pdf")]
    [InlineData("/all.tar.gz", "application/gzip")]
    [InlineData("/page", "text/html")]
    [InlineData("/page.html", "text/html")]
    [InlineData("/v1.2", "application/json")]
    public async Task Where_both_agree_it_is(string target, string type)
    {
        _edge.Origin.Otherwise = origin => origin.Respond(200, [$"Content-Type: {type}"], "file");
        var host = $"Host: h{Interlocked.Increment(ref _hosts)}.assets.example";

        await _edge.Get(target, host);

        Assert.True((await _edge.Get(target, host)).IsHit);
    }

    [Fact]
    public async Task Where_it_is_not_checked_a_policy_that_ignores_the_origin_stores_what_it_is_told_to()
    {
        _edge.Origin.Otherwise = origin => origin.Respond(200, ["Cache-Control: no-store", "Content-Type: text/html"], "account");
        var host = $"Host: h{Interlocked.Increment(ref _hosts)}.unchecked.example";

        await _edge.Get("/account/x.css", host);

        Assert.True((await _edge.Get("/account/x.css", host)).IsHit);
    }
}

using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Security.Tests;

/// <summary>Signed URLs and cookies.</summary>
public sealed class AccessTokenTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TokenOptions _options = new()
    {
        Paths = { "/video/" },
        Keys = { ["new"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), ["old"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(48)) },
    };

    [Theory]
    [InlineData("/video/a.mp4")]
    [InlineData("/video/a%2Fb.mp4?x=1&y=2")]
    [InlineData("/video/%C3%A4.mp4")]
    public void A_signed_URL_gets_through_and_nothing_sees_its_token(string target)
    {
        var token = Sign("new", target: target);
        var context = Request($"{target}{(target.Contains('?', StringComparison.Ordinal) ? '&' : '?')}cdn-token={token}");

        Assert.Null(Refuse(context));
        Assert.DoesNotContain("cdn-token", context.Request.QueryString.Value ?? "", StringComparison.Ordinal);
        Assert.Equal(target.Contains('?', StringComparison.Ordinal) ? "?x=1&y=2" : "", context.Request.QueryString.Value ?? "");
    }

    [Fact]
    public void Paths_that_take_none_get_through_without()
    {
        var context = Request("/page?cdn-token=x&a=b", "cdn-token=y; a=b");

        Assert.Null(Refuse(context));
        Assert.Equal("?a=b", context.Request.QueryString.Value);
        Assert.Equal("a=b", context.Request.Headers.Cookie.ToString());
    }

    [Theory]
    [InlineData("/video/a.mp4", "has none")]
    [InlineData("/VIDEO/a.mp4", "has none")]
    [InlineData("//video//a.mp4", "has none")]
    [InlineData("/video%2Fa.mp4", "has none")]
    [InlineData("/video\\a.mp4", "has none")]
    [InlineData("/video;x=y/a.mp4", "has none")]
    [InlineData("/x%2F..%2Fvideo/a.mp4", "has none")]
    [InlineData("/x%2F%2E%2E%2Fvideo/a.mp4", "has none")]
    [InlineData("/.%2Fvideo/a.mp4", "has none")]
    [InlineData("/video", "has none")]
    [InlineData("/video;x", "has none")]
    [InlineData("/video/b.mp4?cdn-token=TOKEN", "not for this URL")]
    [InlineData("/video/a.mp4?x=1&cdn-token=TOKEN", "not for this URL")]
    [InlineData("/video/a.mp4?cdn-token=", "not for this URL")]
    [InlineData("/video/a.mp4?cdn-token=1.2.3", "not for this URL")]
    [InlineData("/video/a.mp4?cdn-token=1767272400.none.url.AAAA", "not for this URL")]
    public void Anything_else_does_not(string target, string why)
    {
        var refusal = Refuse(Request(target.Replace("TOKEN", Sign("new", target: "/video/a.mp4"), StringComparison.Ordinal)));

        Assert.Equal(403, refusal?.StatusCode);
        Assert.Contains(why, refusal!.Value.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void No_octet_of_a_token_can_be_another()
    {
        var token = Sign("new", target: "/video/a.mp4");
        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={token}")));
        for (var i = 0; i < token.Length; i++)
        {
            // The last of a signature has bits that mean nothing: base64url of 32 octets.
            var other = token[i] == 'A' ? 'Q' : 'A';
            var forged = $"{token[..i]}{other}{token[(i + 1)..]}";
            Assert.Equal(403, Refuse(Request($"/video/a.mp4?cdn-token={forged}"))?.StatusCode);
        }
    }

    [Fact]
    public void It_runs_out()
    {
        var token = Sign("new", target: "/video/a.mp4");

        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={token}"), Now.AddSeconds(3599)));
        Assert.Contains("run out", Refuse(Request($"/video/a.mp4?cdn-token={token}"), Now.AddSeconds(3600))!.Value.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_another_host_it_is_worth_nothing()
    {
        var token = Sign("new", target: "/video/a.mp4");

        Assert.Equal(403, Refuse(Request($"/video/a.mp4?cdn-token={token}", host: "other.example.org"))?.StatusCode);
        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={token}", host: "WWW.example.org:8443")));
        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={token}", host: "www.example.org.")));
    }

    [Fact]
    public void It_is_the_same_host_in_both_of_its_spellings()
    {
        var token = new TokenRule(_options).Sign("new", Now.AddHours(1), "xn--bcher-kva.example", null, "/video/a.mp4");

        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={token}", host: "bücher.example")));
    }

    [Fact]
    public void Keys_are_changed_without_a_break()
    {
        var (byOld, byNew) = (Sign("old", target: "/video/a.mp4"), Sign("new", target: "/video/a.mp4"));
        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={byOld}")));

        _options.Keys.Remove("old");

        Assert.Equal(403, Refuse(Request($"/video/a.mp4?cdn-token={byOld}"))?.StatusCode);
        Assert.Null(Refuse(Request($"/video/a.mp4?cdn-token={byNew}")));
    }

    [Fact]
    public void A_cookie_is_good_for_all_below_its_path_and_is_kept_from_the_origin()
    {
        var token = Sign("new", prefix: "/video/series/");
        var context = Request("/video/series/1/2.ts?x=1", $"a=b; cdn-token={token}; c=d");

        Assert.Null(Refuse(context));
        Assert.Equal("a=b; c=d", context.Request.Headers.Cookie.ToString());
        Assert.Equal(403, Refuse(Request("/video/other/1.ts", $"cdn-token={token}"))?.StatusCode);
        Assert.Null(Refuse(Request($"/video/series/1.ts?cdn-token={token}"))); // in a URL too
    }

    [Fact]
    public void A_site_that_needs_no_key_id_has_one_key()
    {
        var rule = new TokenRule(_options);
        Assert.Null(rule.KeyFor(null));
        Assert.Equal("old", rule.KeyFor("old"));
        Assert.Null(rule.KeyFor("other"));
        _options.Keys.Remove("old");
        Assert.Equal("new", new TokenRule(_options).KeyFor(null));
    }

    private string Sign(string key, string? target = null, string? prefix = null) =>
        new TokenRule(_options).Sign(key, Now.AddHours(1), "www.example.org", prefix, target ?? "");

    private Delivery.Guard.GuardRefusal? Refuse(HttpContext context, DateTimeOffset? now = null) => new TokenRule(_options).Refuse(context, now ?? Now);

    private static DefaultHttpContext Request(string target, string? cookie = null, string host = "www.example.org")
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Method = "GET";
        context.Request.Host = new HostString(host);
        context.Request.Path = PathString.FromUriComponent(path);
        context.Request.QueryString = query < 0 ? QueryString.Empty : new QueryString(target[query..]);
        if (cookie is not null)
            context.Request.Headers.Cookie = cookie;
        return context;
    }
}

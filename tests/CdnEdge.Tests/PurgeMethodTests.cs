using System.Net;
using System.Text.Json.Nodes;
using CdnEdge.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Tests;

/// <summary>The method PURGE on the traffic port, against a real edge.</summary>
public sealed class PurgeMethodTests : IAsyncLifetime
{
    private readonly string _token = AdminToken.New();
    private readonly string _looker = AdminToken.New();
    private readonly TemporaryFile _file = new("");
    private int _served;
    private WebApplication _origin = null!;
    private WebApplication? _edge;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _origin = await Running.OriginAsync(context =>
        {
            context.Response.Headers.CacheControl = "max-age=60, stale-while-revalidate=60";
            context.Response.Headers["Surrogate-Key"] = "all tag-1";
            return context.Response.WriteAsync($"{context.Request.Method} {Interlocked.Increment(ref _served)}");
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        _file.Dispose();
    }

    [Fact]
    public async Task Off_it_is_forwarded_as_any_method()
    {
        await Start("{}");
        Assert.Equal((HttpStatusCode.OK, "PURGE 1"), await Send("PURGE", "/a"));
    }

    [Fact]
    public async Task It_purges_the_url_that_it_asks_for()
    {
        await Start("""{ "Enabled": true }""");
        await Send("GET", "/a?x=1");
        await Send("GET", "/b");

        var (status, answer) = await Send("PURGE", "/a?x=1", ("Authorization", $"Bearer {_token}"));

        Assert.Equal((HttpStatusCode.OK, "ok"), (status, (string)JsonNode.Parse(answer)!["status"]!));
        Assert.NotEmpty((string)JsonNode.Parse(answer)!["id"]!);
        Assert.Equal("GET 3", (await Send("GET", "/a?x=1")).Text);
        Assert.Equal("GET 2", (await Send("GET", "/b")).Text);
    }

    [Theory]
    [InlineData("Surrogate-Key", "tag-1 tag-2")]
    [InlineData("Cache-Tag", "tag-2, tag-1")]
    public async Task With_tags_it_purges_them(string name, string value)
    {
        await Start("""{ "Enabled": true }""");
        await Send("GET", "/a");

        Assert.Equal(HttpStatusCode.OK, (await Send("PURGE", "/", ("Fastly-Key", _token), (name, value))).Status);

        Assert.Equal("GET 2", (await Send("GET", "/a")).Text);
    }

    [Fact]
    public async Task Softly_the_old_is_served_once_more()
    {
        await Start("""{ "Enabled": true }""");
        await Send("GET", "/a");

        await Send("PURGE", "/a", ("Fastly-Key", _token), ("Fastly-Soft-Purge", "1"));

        Assert.Equal("GET 1", (await Send("GET", "/a")).Text);
    }

    [Fact]
    public async Task Without_a_token_that_may_it_does_nothing()
    {
        await Start("""{ "Enabled": true }""");
        await Send("GET", "/a");

        Assert.Equal(HttpStatusCode.Unauthorized, (await Send("PURGE", "/a")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Send("PURGE", "/a", ("Authorization", $"Bearer {AdminToken.New()}"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Send("PURGE", "/a", ("Authorization", $"Bearer {_looker}"))).Status);

        Assert.Equal("GET 1", (await Send("GET", "/a")).Text);
    }

    [Fact]
    public async Task An_address_may_do_in_place_of_a_token()
    {
        await Start("""{ "Enabled": true, "RequireToken": false, "AllowFrom": [ "127.0.0.0/8" ] }""");
        await Send("GET", "/a");

        Assert.Equal(HttpStatusCode.OK, (await Send("PURGE", "/a")).Status);

        Assert.Equal("GET 2", (await Send("GET", "/a")).Text);
    }

    [Fact]
    public async Task From_an_address_that_is_not_named_no_token_helps()
    {
        await Start("""{ "Enabled": true, "AllowFrom": [ "10.0.0.0/8", "fd00::1" ] }""");
        Assert.Equal(HttpStatusCode.Forbidden, (await Send("PURGE", "/a", ("Authorization", $"Bearer {_token}"))).Status);
    }

    [Fact]
    public async Task A_host_that_is_not_served_and_a_tag_that_is_none_are_refused()
    {
        await Start("""{ "Enabled": true }""", hosts: "\"Hosts\": [ \"127.0.0.1\" ], ");
        var (status, problem) = await Send("PURGE", "/a", ("Fastly-Key", _token), ("Host", "elsewhere.example"));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("no site of the host elsewhere.example", problem, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await Send("PURGE", "/a", ("Fastly-Key", _token), ("Cache-Tag", new string('x', 2000)))).Status);
    }

    // What WP Rocket, Proxy Cache Purge and W3 Total Cache send: the first three name a regular expression.
    [Theory]
    [InlineData("/.*", "regex", "/ /a?x=1 /news /news/1 /newsletter")]
    [InlineData("/news/.*", "regex", "/news /news/1")]
    [InlineData("/news.*", "regex", "/news /news/1")]
    [InlineData("/news/", "Regex", "/news /news/1")]
    [InlineData("/.*", "", "/ /a?x=1 /news /news/1 /newsletter")]
    [InlineData("/news/.*", "default", "/news /news/1")]
    [InlineData("/*", "", "/ /a?x=1 /news /news/1 /newsletter")]
    [InlineData("/news", "exact", "/news")]
    [InlineData("/news*", "", "")]
    public async Task A_pattern_that_means_all_below_a_path_purges_that(string target, string how, string purged)
    {
        await Start("""{ "Enabled": true }""");
        string[] targets = ["/", "/a?x=1", "/news", "/news/1", "/newsletter"];
        foreach (var each in targets)
            await Send("GET", each);
        Assert.Equal(targets.Length, _served);

        (string, string)[] fields = how.Length == 0 ? [("Fastly-Key", _token)] : [("Fastly-Key", _token), ("X-Purge-Method", how)];
        var (status, text) = await Send("PURGE", target, fields);

        Assert.True(status == HttpStatusCode.OK, text);
        var gone = new List<string>();
        foreach (var each in targets)
        {
            var before = _served;
            await Send("GET", each);
            if (_served > before)
                gone.Add(each);
        }

        Assert.Equal(purged, string.Join(' ', gone));
    }

    // An answer of 200 to what isn't done would be a page that stays wrong.
    [Theory]
    [InlineData("/(a|b)", "X-Purge-Method", "regex", "a regular expression")]
    [InlineData("/a.*/b", "X-Purge-Method", "regex", "a regular expression")]
    [InlineData("/a?x=.*", "X-Purge-Method", "regex", "a regular expression")]
    [InlineData("/a", "X-Purge-Method", "tags", "'tags'")]
    [InlineData("/", "X-Magento-Tags-Pattern", "((^|,)cat_p_1(,|$))", "Surrogate-Key")]
    [InlineData("/", "Surrogate-Key", "", "Surrogate-Key: no tag")]
    [InlineData("/", "Cache-Tag", " , ", "Cache-Tag: no tag")]
    public async Task What_cannot_be_done_is_refused_rather_than_half_done(string target, string name, string value, string says)
    {
        await Start("""{ "Enabled": true }""");
        await Send("GET", target);

        var (status, problem) = await Send("PURGE", target, ("Fastly-Key", _token), (name, value));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(says, (string)JsonNode.Parse(problem)!["detail"]!, StringComparison.Ordinal);
        Assert.Equal("GET 1", (await Send("GET", target)).Text);
    }

    [Fact]
    public async Task Whoever_may_not_fills_no_audit_log()
    {
        await Start("""{ "Enabled": true }""", audit: _file.Path + ".audit");

        await Send("PURGE", "/a");
        await Send("PURGE", "/a", ("Fastly-Key", AdminToken.New()));
        await Send("PURGE", "/a", ("Fastly-Key", _token));

        var line = JsonNode.Parse(Assert.Single(await ReadSharedAsync(_file.Path + ".audit")))!;
        Assert.Equal(("cms", "127.0.0.1", "PURGE", "accepted"), ((string)line["who"]!, (string)line["from"]!, (string)line["what"]!, (string)line["outcome"]!));
        Assert.EndsWith("/a", (string)line["request"]!["urls"]![0]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"Enabled\": true }", "CdnEdge:PurgeMethod: no token could be used")]
    [InlineData("{ \"Enabled\": true, \"RequireToken\": false }", "CdnEdge:PurgeMethod:AllowFrom: missing")]
    [InlineData("{ \"AllowFrom\": [ \"10.0.0\" ] }", "CdnEdge:PurgeMethod:AllowFrom:0: '10.0.0' is neither")]
    [InlineData("{ \"AllowFrom\": [ \"10.1.2.3/8\" ] }", "CdnEdge:PurgeMethod:AllowFrom:0: '10.1.2.3/8' is not the first address of its network; write 10.0.0.0/8")]
    public async Task Mistakes_are_named(string section, string mistake)
    {
        var reviewed = await Given.Review(Given.WithEdge($"\"PurgeMethod\": {section}"));
        Assert.StartsWith(mistake, Assert.Single(reviewed.Errors), StringComparison.Ordinal);
    }

    private async Task Start(string section, string hosts = "", string? audit = null)
    {
        _file.Write($$"""
            {
              "CdnEdge": {
                "Listen": [ "http://127.0.0.1:0" ],
                "PurgeMethod": {{section}},
                "Admin": {
                  "Listen": "http://127.0.0.1:0",
                  {{(audit is null ? "" : $"\"AuditFile\": \"{audit}\",")}}
                  "Tokens": {
                    "cms": { "Hash": "{{AdminToken.HashOf(_token)}}", "Scopes": [ "purge" ] },
                    "looker": { "Hash": "{{AdminToken.HashOf(_looker)}}", "Scopes": [ "read" ] }
                  }
                }
              },
              "ReverseProxy": {
                "Routes": { "site": { "ClusterId": "web", "Match": { {{hosts}}"Path": "/{**path}" } } },
                "Clusters": { "web": { "Destinations": { "one": { "Address": "{{_origin.Urls.Single()}}" } } } }
              }
            }
            """);
        _edge = await Running.EdgeAsync(Given.SourceWithAdmin(null, _file.Path));
    }

    private static async Task<string[]> ReadSharedAsync(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return (await reader.ReadToEndAsync(Stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task<(HttpStatusCode Status, string Text)> Send(string method, string target, params (string Name, string Value)[] fields)
    {
        using var client = new HttpClient { BaseAddress = new Uri(_edge!.Urls.Single()) };
        using var request = new HttpRequestMessage(new HttpMethod(method), target);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request, Stop);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Stop));
    }
}

using System.Net;
using System.Text.Json.Nodes;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
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
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _origin = builder.Build();
        _origin.Run(context =>
        {
            context.Response.Headers.CacheControl = "max-age=60, stale-while-revalidate=60";
            context.Response.Headers["Surrogate-Key"] = "all tag-1";
            return context.Response.WriteAsync($"{context.Request.Method} {Interlocked.Increment(ref _served)}");
        });
        await _origin.StartAsync(Stop);
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

    [Theory]
    [InlineData("{ \"Enabled\": true }", "CdnEdge:PurgeMethod: no token could be used")]
    [InlineData("{ \"Enabled\": true, \"RequireToken\": false }", "CdnEdge:PurgeMethod:AllowFrom: missing")]
    [InlineData("{ \"AllowFrom\": [ \"10.0.0\" ] }", "CdnEdge:PurgeMethod:AllowFrom:0: '10.0.0' is neither")]
    public async Task Mistakes_are_named(string section, string mistake)
    {
        var reviewed = await Given.Review(Given.WithEdge($"\"PurgeMethod\": {section}"));
        Assert.StartsWith(mistake, Assert.Single(reviewed.Errors), StringComparison.Ordinal);
    }

    private async Task Start(string section, string hosts = "")
    {
        _file.Write($$"""
            {
              "CdnEdge": {
                "Listen": [ "http://127.0.0.1:0" ],
                "PurgeMethod": {{section}},
                "Admin": {
                  "Listen": "http://127.0.0.1:0",
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
        var source = Given.SourceWithAdmin(null, _file.Path);
        var file = source.ReadFile();
        var reviewed = await ConfigurationReview.OfAsync(source, file);
        Assert.Empty(reviewed.Errors);
        _edge = EdgeHost.Build(source, file, reviewed);
        await _edge.StartAsync(Stop);
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

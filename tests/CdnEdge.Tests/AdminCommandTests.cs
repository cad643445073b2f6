using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CdnEdge.Commands;
using CdnEdge.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Tests;

/// <summary>The commands over the admin API, against a real edge.</summary>
public sealed class AdminCommandTests : IAsyncLifetime, IDisposable
{
    private readonly Hashtable _environment = [];
    private WebApplication _origin = null!;
    private TemporaryFile _file = null!;
    private WebApplication _edge = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Uri AdminAddress => new(_edge.Services.GetRequiredService<AdminServer>().Addresses.Single());

    private Uri Traffic => new(_edge.Urls.Single());

    public async ValueTask InitializeAsync()
    {
        _origin = await Running.OriginAsync(context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            return context.Response.WriteAsync($"origin {context.Request.Method} {context.Request.Path}");
        });
        _file = new TemporaryFile(Configuration());
        await Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        Dispose();
    }

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Purge_is_accepted_and_says_its_id()
    {
        var (code, output, error) = await Run("purge", $"{Traffic}a");

        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("purged: local-", output, StringComparison.Ordinal);
    }

    /// <summary>In the spelling in which a client asks: an escaped slash is no slash, and a query is as it was sent.</summary>
    [Theory]
    [InlineData("plain")]
    [InlineData("a%2Fb")]
    [InlineData("%C3%A4%20x")]
    [InlineData("search?q=%41%2f")]
    public async Task What_was_purged_is_no_hit_any_more(string path)
    {
        using var client = new HttpClient();
        var page = new Uri($"{Traffic}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        await Deadline.Until(async () => (await Ask()).StartsWith("cdnedge; hit", StringComparison.Ordinal));

        var (code, _, error) = await Run("purge", $"{Traffic}{path}");

        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("cdnedge; fwd=uri-miss", await Ask(), StringComparison.Ordinal);

        async Task<string> Ask()
        {
            using var response = await client.GetAsync(page, Stop);
            return Assert.Single(response.Headers.GetValues("Cache-Status"));
        }
    }

    [Fact]
    public async Task Purge_takes_every_kind_and_gives_json_to_scripts()
    {
        var (code, output, _) = await Run("purge", $"{Traffic}a", "--tag", "x", "--tag", "y", "--prefix", $"{Traffic}p", "--site", Traffic.Authority, "--soft", "--wait", "--json");

        Assert.Equal(0, code);
        var request = JsonNode.Parse(output)!["request"]!;
        Assert.Equal(2, request["tags"]!.AsArray().Count);
        Assert.Equal($"{Traffic}p", (string)request["prefixes"]![0]!);
        Assert.Equal(Traffic.Authority, (string)request["sites"]![0]!);
        Assert.True((bool)request["soft"]!);
    }

    [Fact]
    public async Task A_dry_run_counts()
    {
        using var client = new HttpClient();
        await client.GetStringAsync(new Uri(Traffic, "/counted"), Stop);
        var deadline = DateTime.UtcNow.AddSeconds(20);
        string output;
        do // it's stored after the client has been served
            (_, output, _) = await Run("purge", "--all", "--dry-run");
        while (output.StartsWith("would hit 0", StringComparison.Ordinal) && DateTime.UtcNow < deadline);

        Assert.StartsWith("would hit 1 stored response(s), ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_an_item_is_the_calls_and_names_it()
    {
        var (code, output, error) = await Run("purge", "/relative");

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("/urls/0: not an absolute", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_a_failure()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var address = $"http://{free.LocalEndpoint}";
        free.Stop();

        var (code, _, error) = await RunAt(address, "stats");

        Assert.Equal(1, code);
        Assert.Contains($"{address}/ can't be reached", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_traffic_port_is_no_admin_address()
    {
        Assert.Equal(1, (await RunAt(Traffic.ToString(), "stats")).Code);
    }

    [Fact]
    public async Task Stats_are_a_table_or_json()
    {
        Assert.Contains("hit ratio", (await Run("stats")).Output, StringComparison.Ordinal);
        Assert.NotNull(JsonNode.Parse((await Run("stats", "--json")).Output)!["memory"]);
    }

    [Fact]
    public async Task A_token_lets_in_by_flag_or_environment_once_its_hash_is_configured()
    {
        var (code, output, _) = await RunAt(null, "token", "new", "--name", "ops", "--scope", "read", "operate", "--json");
        Assert.Equal(0, code);
        var made = JsonNode.Parse(output)!;
        _file.Write(Configuration(made["configuration"]!["CdnEdge"]!["Admin"]!["Tokens"]!.ToJsonString()));
        Assert.Equal(HttpStatusCode.OK, await Post("/config/reload"));

        Assert.Equal(2, (await Run("stats")).Code);
        Assert.Equal(0, (await Run("stats", "--token", (string)made["token"]!)).Code);
        _environment["CdnEdge__Admin__Token"] = (string)made["token"]!;
        Assert.Equal(0, (await Run("stats")).Code);
        Assert.Equal(2, (await Run("purge", "--all")).Code);
    }

    [Fact]
    public async Task Draining_closes_connections_and_undraining_keeps_them()
    {
        using var client = new HttpClient();
        Assert.Equal((0, $"draining{Environment.NewLine}"), await CodeAndOutput("drain"));
        Assert.Equal((0, $"draining already{Environment.NewLine}"), await CodeAndOutput("drain"));
        using (var closing = await client.GetAsync(new Uri(Traffic, "/a"), Stop))
            Assert.True(closing.Headers.ConnectionClose);
        using (var ready = await client.GetAsync(new Uri(AdminAddress, "/health/ready"), Stop))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);

        Assert.Equal((0, $"serving{Environment.NewLine}"), await CodeAndOutput("undrain"));

        using var kept = await client.GetAsync(new Uri(Traffic, "/a"), Stop);
        Assert.NotEqual(true, kept.Headers.ConnectionClose);
    }

    [Fact]
    public async Task Neither_side_has_the_others_paths()
    {
        using var client = new HttpClient();

        Assert.Equal("origin POST /purge", await (await client.PostAsync(new Uri(Traffic, "/purge"), null, Stop)).Content.ReadAsStringAsync(Stop));
        using var named = new HttpRequestMessage(HttpMethod.Get, new Uri(Traffic, "/stats")) { Headers = { Host = AdminAddress.Authority } };
        Assert.Equal("origin GET /stats", await (await client.SendAsync(named, Stop)).Content.ReadAsStringAsync(Stop));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri(AdminAddress, "/a"), Stop)).StatusCode);
    }

    [Fact]
    public async Task A_reload_with_mistakes_changes_nothing_and_lists_them()
    {
        _file.Write("{ \"CdnEdge\": { \"Nmae\": \"x\" } }");

        using var client = new HttpClient { BaseAddress = AdminAddress };
        using var response = await client.PostAsync("/config/reload", null, Stop);

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("CdnEdge:Nmae: unknown key", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("origin GET /still", await client.GetStringAsync(new Uri(Traffic, "/still"), Stop));
    }

    [Fact]
    public async Task An_audit_file_that_cannot_be_opened_keeps_it_from_starting()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var environment = new Hashtable { ["CdnEdge__Admin__AuditFile"] = "/nowhere/audit.jsonl" };

        var code = await new CommandLine(output, error, environment).RunAsync(
            ["serve", "--origin", "http://127.0.0.1:9", "--listen", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"]);

        Assert.Equal(1, code);
        Assert.Contains("/nowhere/audit.jsonl", error.ToString(), StringComparison.Ordinal);
    }

    private string Configuration(string tokens = "{}") => $$"""
        {
          "CdnEdge": { "Listen": [ "http://127.0.0.1:0" ], "Admin": { "Listen": "http://127.0.0.1:0", "Tokens": {{tokens}} } },
          "ReverseProxy": {
            "Routes": { "site": { "ClusterId": "web", "Match": { "Path": "/{**path}" } } },
            "Clusters": { "web": { "Destinations": { "one": { "Address": "{{_origin.Urls.Single()}}" } } } }
          }
        }
        """;

    private async Task Start()
    {
        _edge = await Running.EdgeAsync(Given.SourceWithAdmin(null, _file.Path));
    }

    private Task<(int Code, string Output, string Error)> Run(params string[] arguments) => RunAt(AdminAddress.ToString(), arguments);

    private async Task<(int Code, string Output)> CodeAndOutput(params string[] arguments)
    {
        var (code, output, _) = await Run(arguments);
        return (code, output);
    }

    private async Task<(int Code, string Output, string Error)> RunAt(string? admin, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await new CommandLine(output, error, _environment).RunAsync(admin is null ? arguments : [.. arguments, "--admin", admin]);
        return (code, output.ToString(), error.ToString());
    }

    private async Task<HttpStatusCode> Post(string path)
    {
        using var client = new HttpClient { BaseAddress = AdminAddress };
        using var response = await client.PostAsync(path, null, Stop);
        return response.StatusCode;
    }
}

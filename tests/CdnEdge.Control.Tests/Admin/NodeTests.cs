using System.Diagnostics.Metrics;
using System.Net;
using System.Text.RegularExpressions;
using CdnEdge.Storage;

namespace CdnEdge.Control.Tests.Admin;

/// <summary>Looking at the node and operating it.</summary>
public partial class NodeTests
{
    [Fact]
    public async Task Stats_count_requests_and_memory()
    {
        await using var node = await new Node().Start();
        node.Store("http://example.org/a");
        using var meter = node.Meters.Create("CdnEdge.Cache");
        var requests = meter.CreateCounter<long>("cdnedge.cache.requests");
        Count("hit", 6);
        Count("stale", 1);
        Count("miss", 2);
        Count("revalidated", 1);
        Count("bypass", 10);
        node.Time.Advance(TimeSpan.FromSeconds(90));

        var stats = (await node.Get("/stats")).Json;

        Assert.Equal(20, (int)stats["requestsTotal"]!);
        Assert.Equal(6, (int)stats["requests"]!["hit"]!);
        Assert.Equal(0.7, (double)stats["hitRatio"]!);
        Assert.Equal(90, (double)stats["uptimeSeconds"]!);
        Assert.Equal(1, (int)stats["memory"]!["objects"]!);
        Assert.Equal(64 << 20, (long)stats["memory"]!["maxBytes"]!);
        Assert.Equal("1.2.3", (string)stats["version"]!);

        void Count(string outcome, long count) => requests.Add(count, new KeyValuePair<string, object?>("cdnedge.outcome", outcome));
    }

    [Fact]
    public async Task Another_host_in_the_process_counts_for_itself()
    {
        await using var node = await new Node().Start();
        await using var other = new Node();
        using var meter = other.Meters.Create("CdnEdge.Cache");
        meter.CreateCounter<long>("cdnedge.cache.requests").Add(1, new KeyValuePair<string, object?>("cdnedge.outcome", "hit"));

        Assert.Equal(0, (int)(await node.Get("/stats")).Json["requestsTotal"]!);
    }

    [Fact]
    public async Task Objects_says_what_is_stored_and_why_it_would_be_served()
    {
        await using var node = await new Node().Start();
        node.Store("http://example.org/a?b", "one two", null, ("Vary", "Accept-Encoding"), ("ETag", "\"v1\""), ("Cache-Groups", "\"g\""));
        node.Time.Advance(TimeSpan.FromSeconds(15));

        var variant = await Variant(node, "http://example.org/a?b");

        Assert.Equal("memory", (string)variant["tier"]!);
        Assert.Equal(15, (double)variant["ageSeconds"]!);
        Assert.Equal(60, (double)variant["lifetimeSeconds"]!);
        Assert.Equal("max-age", (string)variant["freshnessFrom"]!);
        Assert.Equal(["one", "two"], variant["tags"]!.AsArray().Select(static tag => (string)tag!));
        Assert.Equal("g", (string)variant["groups"]![0]!);
        Assert.Equal("\"v1\"", (string)variant["etag"]!);
        Assert.Equal("accept-encoding", (string)variant["variesBy"]![0]!);
        Assert.Equal("hit", (string)variant["served"]!);
        Assert.Equal("fresh for 45 s more", (string)variant["why"]!);
    }

    [Theory]
    [InlineData("max-age=60, stale-while-revalidate=60", 61, null, "stale")]
    [InlineData("max-age=60", 61, null, "revalidate")]
    [InlineData("no-cache", 0, null, "revalidate")]
    [InlineData("max-age=60", 1, """{ "everything": true }""", "miss")]
    [InlineData("max-age=60", 1, """{ "everything": true, "soft": true }""", "revalidate")]
    [InlineData("max-age=60, stale-while-revalidate=60", 1, """{ "everything": true, "soft": true }""", "stale")]
    public async Task Objects_tells_what_would_happen_otherwise(string cacheControl, int seconds, string? purge, string expected)
    {
        await using var node = await new Node().Start();
        node.Store("http://example.org/a", null, null, ("Cache-Control", cacheControl));
        node.Time.Advance(TimeSpan.FromSeconds(seconds));
        if (purge is not null)
            await node.Purge(purge);

        var variant = await Variant(node, "http://example.org/a");

        Assert.Equal(expected, (string)variant["served"]!);
        Assert.NotEmpty((string)variant["why"]!);
    }

    [Fact]
    public async Task Objects_says_in_which_codings_it_may_be_had()
    {
        await using var node = await new Node().Start();
        var stored = node.Store("http://example.org/a");
        var body = GrowingBody.Create(node.Memory.Arena, 300);
        body.Append(new byte[300]);
        body.Seal();
        Assert.True(node.Memory.Attach(stored, new EncodedBody("br", body)));
        Assert.True(node.Memory.Attach(stored, new EncodedBody("gzip"))); // given up

        var variant = await Variant(node, "http://example.org/a");

        Assert.Equal("""{"br":300}""", variant["compressedBytes"]!.ToJsonString());
        Assert.Equal(stored.Charge, (long)variant["countedBytes"]!);
    }

    [Fact]
    public async Task Objects_of_what_is_not_stored_is_an_empty_list_and_of_no_url_a_mistake()
    {
        await using var node = await new Node().Start();

        Assert.Empty((await node.Get("/objects?url=http://example.org/none")).Json["stored"]!.AsArray());
        (await node.Get("/objects")).Problem(HttpStatusCode.BadRequest);
        (await node.Get("/objects?url=/a")).Problem(HttpStatusCode.BadRequest);
        (await node.Get("/objects?url=http://elsewhere.example/")).Problem(HttpStatusCode.BadRequest);
        (await node.Get("/objects?url=http://example.org/a&header=Accept")).Problem(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Config_shows_what_is_in_force_without_secrets()
    {
        await using var node = new Node();
        node.Values["CdnEdge:Name"] = "edge-1";
        node.Values["CdnEdge:Admin:Token"] = "s3cret";
        node.Values["CdnEdge:Admin:Tokens:ops:Hash"] = "s3cret";
        node.Values["CdnEdge:Admin:Tokens:ops:Scopes:0"] = "Read";
        node.Values["CdnEdge:Redis:Connection"] = "localhost,password=s3cret";
        node.Values["CdnEdge:Redis:Keys:0:Value"] = "s3cret";
        node.Values["CdnEdge:Peering:Key"] = "s3cret";
        node.Values["CdnEdge:Peering:PreviousKey"] = "s3cret";
        node.Values["CdnEdge:Sites:www.example.org:Tokens:Keys:one"] = "s3cret";
        node.Values["CdnEdge:Clusters:web:ProofKey"] = "s3cret";
        node.Values["CdnEdge:Peering:Id"] = "lhr-1";
        node.Values["CdnEdge:Policies:p:SetCookie"] = "Strip";
        node.Values["CdnEdge:Policies:p:Key:Cookies:0"] = "theme";
        node.Values["CdnEdge:Origin"] = "http://user:s3cret@origin.example/a@b";
        node.Values["ReverseProxy:Routes:r:Transforms:0:RequestHeader"] = "X-Api-Key";
        node.Values["ReverseProxy:Routes:r:Transforms:0:Set"] = "s3cret";
        node.Values["ReverseProxy:Routes:r:Transforms:1:RequestHeader"] = "X-Edge";
        node.Values["ReverseProxy:Routes:r:Transforms:1:Set"] = "yes";
        await node.Start();

        var answer = await node.Get("/config");

        Assert.DoesNotContain("s3cret", answer.Text, StringComparison.Ordinal);
        var edge = answer.Json["configuration"]!["CdnEdge"]!;
        Assert.Equal("edge-1", (string)edge["Name"]!);
        Assert.Equal("Read", (string)edge["Admin"]!["Tokens"]!["ops"]!["Scopes"]!["0"]!);
        Assert.Equal("lhr-1", (string)edge["Peering"]!["Id"]!);
        Assert.Equal("Strip", (string)edge["Policies"]!["p"]!["SetCookie"]!);
        Assert.Equal("theme", (string)edge["Policies"]!["p"]!["Key"]!["Cookies"]!["0"]!);
        Assert.Equal("http://(redacted)@origin.example/a@b", (string)edge["Origin"]!);
        Assert.Equal("yes", (string)answer.Json["configuration"]!["ReverseProxy"]!["Routes"]!["r"]!["Transforms"]!["1"]!["Set"]!);
    }

    [Fact]
    public async Task Reload_says_what_is_in_force_or_every_mistake()
    {
        await using var node = await new Node().Start();
        node.Reload = new ReloadOutcome(true, "2 routes", [], ["CdnEdge:Listen"]);
        var answer = await node.Send(HttpMethod.Post, "/config/reload");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("CdnEdge:Listen", (string)answer.Json["needsRestart"]![0]!);

        node.Reload = new ReloadOutcome(false, "", ["CdnEdge:Nmae: unknown key", "CdnEdge:Memory:MaxBytes: no"], []);

        Assert.Equal(2, (await node.Send(HttpMethod.Post, "/config/reload")).Problem(HttpStatusCode.Conflict).Length);
    }

    [Fact]
    public async Task A_node_that_drains_or_stops_is_not_ready_but_alive()
    {
        await using var node = await new Node().Start();

        Assert.True((bool)(await node.Send(HttpMethod.Post, "/drain")).Json["changed"]!);
        (await node.Get("/health/ready")).Problem(HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/health/live")).Status);

        Assert.False((bool)(await node.Send(HttpMethod.Post, "/undrain")).Json["draining"]!);
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/health/ready")).Status);

        node.IsStopping = true;
        (await node.Get("/health/ready")).Problem(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task What_is_not_there_and_methods_that_are_not_are_problems()
    {
        await using var node = await new Node().Start();

        (await node.Get("/nowhere")).Problem(HttpStatusCode.NotFound);
        (await node.Get("/purge")).Problem(HttpStatusCode.MethodNotAllowed);
    }

    [Fact]
    public async Task The_document_has_every_call_and_the_page_loads_nothing_from_outside()
    {
        await using var node = await new Node().Start();

        var document = (await node.Get("/openapi/v1.json")).Json;
        var page = await node.Get("/docs/");

        foreach (var path in new[] { "/purge", "/purges/{id}", "/objects", "/stats", "/config", "/config/reload", "/drain", "/undrain", "/health/live", "/health/ready" })
            Assert.NotNull(document["paths"]![path]);
        Assert.NotNull(document["paths"]!["/purge"]!["post"]!["responses"]!["400"]!["content"]!["application/problem+json"]);
        Assert.NotNull(document["components"]!["schemas"]!["PurgeBody"]!["properties"]!["prefixes"]);
        Assert.Equal("text/html", page.Type);
        Assert.DoesNotMatch(FromOutside(), page.Text);
        Assert.Contains("default-src 'self'", page.Fields["Content-Security-Policy"], StringComparison.Ordinal);
        var scripts = Script().Matches(page.Text).Select(static match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
            Assert.Equal(HttpStatusCode.OK, (await node.Get(new Uri(new Uri(node.Address, "/docs/"), script).PathAndQuery)).Status);
    }

    private static async Task<System.Text.Json.Nodes.JsonNode> Variant(Node node, string url)
    {
        var stored = Assert.Single((await node.Get($"/objects?url={Uri.EscapeDataString(url)}")).Json["stored"]!.AsArray())!;
        Assert.Equal("default", (string)stored["policies"]![0]!);
        return Assert.Single(stored["variants"]!.AsArray())!;
    }

    [GeneratedRegex("(src|href)=\"(https?:)?//")]
    private static partial Regex FromOutside();

    [GeneratedRegex("<script[^>]* src=\"([^\"]+)\"")]
    private static partial Regex Script();
}

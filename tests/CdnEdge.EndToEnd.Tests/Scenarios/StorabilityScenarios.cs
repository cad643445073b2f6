using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What is stored, for whom, and what isn't.</summary>
public sealed class StorabilityScenarios(Edge edge) : IClassFixture<Edge>
{
    [Theory]
    [InlineData("Cache-Control: no-store")]
    [InlineData("Cache-Control: private, max-age=600")]
    [InlineData("Cache-Control: max-age=600|Set-Cookie: session=1")]
    [InlineData("Cache-Control: max-age=600|Vary: *")]
    [InlineData("Cache-Control: max-age=600|CDN-Cache-Control: no-store")]
    [InlineData("Cache-Control: max-age=600|CdnEdge-CDN-Cache-Control: no-store")]
    public async Task These_are_not_stored(string fields)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, fields.Split('|'), $"for request {origin.Headers["X-Number"]}"));

        var first = await edge.Get(page, "X-Number: 1");
        var second = await edge.Get(page, "X-Number: 2");

        Assert.DoesNotContain("stored", first.CacheStatusParameters);
        Assert.Equal(("for request 2", false), (second.Text, second.IsHit));
        Assert.Equal(2, page.Requests.Count);
    }

    [Theory]
    [InlineData("Cache-Control: max-age=600")]
    [InlineData("Cache-Control: private, s-maxage=1|CDN-Cache-Control: max-age=600")]
    [InlineData("Cache-Control: no-store|CdnEdge-CDN-Cache-Control: max-age=600")]
    [InlineData("Cache-Control: no-store|CDN-Cache-Control: no-store|CdnEdge-CDN-Cache-Control: max-age=600")]
    [InlineData("CDN-Cache-Control: max-age=600")]
    public async Task These_are_stored(string fields)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, fields.Split('|'), "hello"));

        await edge.Get(page);
        var second = await edge.Get(page);

        Assert.Equal(("hello", true), (second.Text, second.IsHit));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_targeted_field_that_does_not_parse_is_ignored()
    {
        // RFC 9213 §2.1: a field that isn't a structured-field dictionary is as if it weren't there.
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=600", "CDN-Cache-Control: no-store;;,=("], "hello"));

        await edge.Get(page);

        Assert.True((await edge.Get(page)).IsHit);
    }

    [Fact]
    public async Task The_field_that_is_for_this_edge_alone_is_not_passed_on()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(
            200, ["Cache-Control: no-cache", "CDN-Cache-Control: max-age=60", "CdnEdge-CDN-Cache-Control: max-age=600"], "hello"));

        foreach (var response in new[] { await edge.Get(page), await edge.Get(page) })
        {
            Assert.False(response.Headers.Has("CdnEdge-CDN-Cache-Control"));
            Assert.Equal("max-age=60", response.Headers["CDN-Cache-Control"]);
            Assert.Equal("no-cache", response.Headers["Cache-Control"]);
        }
    }

    [Fact]
    public async Task Set_cookie_reaches_the_client_that_it_is_for()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(
            200, ["Cache-Control: max-age=600", $"Set-Cookie: who={origin.Headers["X-Who"]}"]));

        var ann = await edge.Get(page, "X-Who: ann");
        var bob = await edge.Get(page, "X-Who: bob");

        Assert.Equal(("who=ann", "who=bob"), (ann.Headers["Set-Cookie"], bob.Headers["Set-Cookie"]));
    }

    [Fact]
    public async Task An_answer_to_credentials_is_not_shared()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh($"for {origin.Headers["Authorization"] ?? "nobody"}"));

        var ann = await edge.Get(page, "Authorization: Basic YW5u");
        var bob = await edge.Get(page, "Authorization: Basic Ym9i");
        var nobody = await edge.Get(page);

        Assert.Equal(("for Basic YW5u", "for Basic Ym9i", "for nobody"), (ann.Text, bob.Text, nobody.Text));
    }

    [Theory]
    [InlineData("public, max-age=600")]
    [InlineData("s-maxage=600")]
    [InlineData("must-revalidate, max-age=600")]
    public async Task An_answer_to_credentials_is_shared_if_it_says_that_it_may_be(string cacheControl)
    {
        // RFC 9111 §3.5
        var page = edge.Origin.Serves(origin => origin.Respond(200, [$"Cache-Control: {cacheControl}"], "for everybody"));

        await edge.Get(page, "Authorization: Basic YW5u");

        Assert.True((await edge.Get(page, "Authorization: Basic Ym9i")).IsHit);
    }

    [Fact]
    public async Task A_status_that_a_clients_own_headers_can_provoke_is_not_stored()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(400, ["Cache-Control: max-age=600"], "what's that header?"),
            origin => origin.Fresh("hello"));

        await edge.Get(page, "X-Odd: 1");

        Assert.Equal("hello", (await edge.Get(page)).Text);
    }

    [Fact]
    public async Task A_missing_page_is_stored_as_long_as_it_says()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(404, ["Cache-Control: max-age=600"], "not here"));

        await edge.Get(page);
        var second = await edge.Get(page);

        Assert.Equal((404, true), (second.Status, second.IsHit));
    }
}

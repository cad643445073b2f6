using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The first thing a user sees: a miss, then a hit.</summary>
public sealed class HitScenarios(Edge edge) : IClassFixture<Edge>
{
    [Fact]
    public async Task The_second_request_is_answered_from_memory()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "Content-Type: text/plain"));

        var first = await edge.Get(page);
        var second = await edge.Get(page);

        Assert.Equal("cdnedge", first.CacheStatus.Split(';')[0]);
        Assert.Equal("uri-miss", first.Forwarded);
        Assert.Contains("stored", first.CacheStatusParameters);
        Assert.True(second.IsHit, second.CacheStatus);
        Assert.Contains(second.CacheStatusParameters, parameter => parameter.StartsWith("ttl=", StringComparison.Ordinal));
        Assert.Equal(("hello", "text/plain"), (second.Text, second.Headers["Content-Type"]));
        Assert.InRange(second.Headers.Number("Age") ?? -1, 0, 600);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Curl_shows_a_miss_and_then_a_hit()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        var first = await Curl.Run("-si", new Uri(edge.Address, page.Path).ToString());
        var second = await Curl.Run("-si", new Uri(edge.Address, page.Path).ToString());

        Assert.Matches("(?i)cache-status: cdnedge; ?fwd=uri-miss", first);
        Assert.Matches("(?i)cache-status: cdnedge; ?hit", second);
        Assert.EndsWith("hello", second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunked_response_is_stored_too()
    {
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: max-age=600");
            await origin.Chunk("one ");
            await origin.Chunk("two");
            await origin.End();
        });

        await edge.Get(page);
        var second = await edge.Get(page);

        Assert.True(second.IsHit, second.CacheStatus);
        Assert.Equal(("one two", BodyEnd.Whole), (second.Text, second.End));
    }

    [Fact]
    public async Task The_age_that_an_upstream_cache_reports_counts()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "Age: 100"));

        await edge.Get(page);
        var second = await edge.Get(page);

        Assert.True(second.IsHit, second.CacheStatus);
        Assert.InRange(second.Headers.Number("Age") ?? -1, 100, 600);
    }

    [Fact]
    public async Task Head_is_answered_from_a_stored_get()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));
        await edge.Get(page);

        var head = await edge.Ask("HEAD", page.Path);

        Assert.True(head.IsHit, head.CacheStatus);
        Assert.Equal((200, 5L, ""), (head.Status, head.Headers.Number("Content-Length"), head.Text));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Another_query_is_another_object()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Target));

        await edge.Get(page.Path + "?a=1");
        var other = await edge.Get(page.Path + "?a=2");

        Assert.Equal(page.Path + "?a=2", other.Text);
    }

    [Fact]
    public async Task Another_host_is_another_object()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Headers["Host"]!));

        await edge.Get(page, "Host: one.example");
        var other = await edge.Get(page, "Host: two.example");
        var again = await edge.Get(page, "Host: ONE.example");

        Assert.Equal("two.example", other.Text);
        Assert.True(again.IsHit, again.CacheStatus);
    }

    [Fact]
    public async Task Only_if_cached_is_a_504_where_nothing_is_stored()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        var before = await edge.Get(page, "Cache-Control: only-if-cached");
        await edge.Get(page);
        var after = await edge.Get(page, "Cache-Control: only-if-cached");

        Assert.Equal((504, 200), (before.Status, after.Status));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_client_that_says_no_cache_gets_what_the_origin_has_now()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("old"), origin => origin.Fresh("new"));
        await edge.Get(page);

        var response = await edge.Get(page, "Cache-Control: no-cache");

        Assert.Equal("new", response.Text);
        Assert.Equal("request", response.Forwarded);
    }

    [Fact]
    public async Task Every_response_has_a_cache_status()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: no-store"], "hello"));

        foreach (var method in new[] { "GET", "HEAD", "OPTIONS", "DELETE" })
            Assert.Matches("^cdnedge; ?fwd=", (await edge.Ask(method, page.Path)).CacheStatus);
    }
}

using CdnEdge.Caching;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Peering;

/// <summary>What another node is answered: the response as it came from the origin, and how long ago.</summary>
public class PeerAnswerTests
{
    private const string Tagged =
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nCdnEdge-CDN-Cache-Control: max-age=900\r\nSurrogate-Key: one two\r\nCache-Groups: \"g\"\r\n"
        + "ETag: \"e\"\r\nContent-Length: 4\r\n\r\nabcd";

    private static readonly string[] Withheld = ["CdnEdge-CDN-Cache-Control", "Surrogate-Key"];

    [Fact]
    public async Task A_node_gets_from_fill_and_store_what_a_visitor_does_not()
    {
        await using var origin = RawOrigin.Answering(Tagged);
        await using var node = await PeeredSite.StartAsync(origin);

        var (filled, _) = await node.AskAsync("/x");
        var (hit, _) = await node.AskAsync("/x");
        var (notModified, _) = await node.AskAsync("/x", "If-None-Match: \"e\"\r\n");
        var visitors = await node.Site.GetAsync("/x");

        Assert.Contains("fwd=uri-miss", filled);
        Assert.Contains("cdnedge; hit", hit);
        Assert.StartsWith("HTTP/1.1 304", notModified);
        foreach (var answer in new[] { filled, hit, notModified })
        {
            Assert.Equal(["max-age=900"], PeeredSite.Fields(answer, "CdnEdge-CDN-Cache-Control"));
            Assert.Equal(["one two"], PeeredSite.Fields(answer, "Surrogate-Key"));
            Assert.Equal(["max-age=600"], PeeredSite.Fields(answer, "Cache-Control"));
            Assert.Equal(["\"g\""], PeeredSite.Fields(answer, "Cache-Groups"));
        }

        Assert.All([.. Withheld, "CdnEdge-Peer"], name => Assert.Empty(PeeredSite.Fields(visitors, name)));
        Assert.EndsWith("abcd", hit);
        Assert.Single(origin.Requests);
    }

    [Fact]
    public async Task A_node_gets_them_too_of_what_a_visitor_fetched()
    {
        await using var origin = RawOrigin.Answering(Tagged);
        await using var node = await PeeredSite.StartAsync(origin);

        var visitors = await node.Site.GetAsync("/x");
        var (answer, _) = await node.AskAsync("/x");

        Assert.All(Withheld, name => Assert.Empty(PeeredSite.Fields(visitors, name)));
        Assert.All(Withheld, name => Assert.NotEmpty(PeeredSite.Fields(answer, name)));
    }

    [Fact]
    public async Task And_of_what_passes_unstored()
    {
        await using var origin = RawOrigin.Answering(Tagged.Replace("max-age=900", "no-store", StringComparison.Ordinal));
        await using var node = await PeeredSite.StartAsync(origin);

        var (filled, _) = await node.AskAsync("/x");
        var (direct, _) = await node.AskAsync("/x", "Range: bytes=0-1\r\n");
        var (posted, _) = await node.AskAsync("/x", "Content-Length: 0\r\n", HttpMethod.Post);

        Assert.All([filled, direct, posted], answer => Assert.Equal(["no-store"], PeeredSite.Fields(answer, "CdnEdge-CDN-Cache-Control")));
    }

    [Fact]
    public async Task A_refusal_of_one_request_is_not_to_be_kept()
    {
        await using var origin = RawOrigin.Answering(Tagged);
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x");

        var (precondition, _) = await node.AskAsync("/x", "If-Match: \"other\"\r\n");
        var (range, _) = await node.AskAsync("/x", "Range: bytes=9-\r\n");

        Assert.StartsWith("HTTP/1.1 412", precondition);
        Assert.StartsWith("HTTP/1.1 416", range);
        Assert.All([precondition, range], answer => Assert.All(Withheld, name => Assert.Empty(PeeredSite.Fields(answer, name))));
    }

    [Fact]
    public async Task Of_a_hit_it_is_the_time_from_its_fetch_to_the_request()
    {
        PeeredSite? node = null;
        await using var origin = RawOrigin.Answering(_ =>
        {
            node!.Time.Advance(TimeSpan.FromSeconds(3));
            return Tagged;
        });
        await using var started = node = await PeeredSite.StartAsync(origin);

        var (_, filled) = await node.AskAsync("/x");
        node.Time.Advance(TimeSpan.FromSeconds(100));
        var (answer, hit) = await node.AskAsync("/x");

        Assert.Equal(0, filled.TotalSeconds);
        Assert.Equal(103, hit.TotalSeconds);
        Assert.Equal(["103"], PeeredSite.Fields(answer, "Age"));
    }

    [Fact]
    public async Task An_age_that_it_came_with_is_none_of_it()
    {
        // An origin's own cache, or a clock that is behind: a purge of ours is still newer than nothing that was asked for after it.
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=6000\r\nAge: 500\r\nContent-Length: 0\r\n\r\n");
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x");
        node.Time.Advance(TimeSpan.FromSeconds(10));

        var (answer, fetchedAgo) = await node.AskAsync("/x");

        Assert.Equal(["510"], PeeredSite.Fields(answer, "Age"));
        Assert.Equal(10, fetchedAgo.TotalSeconds);
    }

    [Fact]
    public async Task A_validation_is_a_fetch()
    {
        await using var origin = RawOrigin.Answering(request => request.Contains("If-None-Match", StringComparison.Ordinal)
            ? "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nCache-Control: max-age=10, must-revalidate\r\nETag: \"e\"\r\nSurrogate-Key: one\r\nContent-Length: 0\r\n\r\n");
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x");
        node.Time.Advance(TimeSpan.FromSeconds(60));

        var (validated, first) = await node.AskAsync("/x");
        node.Time.Advance(TimeSpan.FromSeconds(5));
        var (_, second) = await node.AskAsync("/x");

        Assert.Contains("fwd-status=304", validated);
        Assert.Equal(["one"], PeeredSite.Fields(validated, "Surrogate-Key"));
        Assert.Equal(0, first.TotalSeconds);
        Assert.Equal(5, second.TotalSeconds);
    }

    [Fact]
    public async Task What_is_served_stale_is_as_old_as_it_is()
    {
        var answers = 0;
        await using var origin = RawOrigin.Answering(_ => ++answers == 1
            ? "HTTP/1.1 200 OK\r\nCache-Control: max-age=10, stale-if-error=1000\r\nSurrogate-Key: one\r\nContent-Length: 0\r\n\r\n"
            : "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x");
        node.Time.Advance(TimeSpan.FromSeconds(60));

        var (answer, fetchedAgo) = await node.AskAsync("/x");

        Assert.Contains("detail=stale-if-error", answer);
        Assert.Equal(["one"], PeeredSite.Fields(answer, "Surrogate-Key"));
        Assert.Equal(60, fetchedAgo.TotalSeconds);
    }

    [Fact]
    public async Task Parts_together_are_as_old_as_the_oldest()
    {
        await using var origin = RawOrigin.Answering(request =>
        {
            var first = request.Contains("bytes=0-1", StringComparison.Ordinal);
            return $"HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=600\r\nETag: \"e\"\r\nContent-Range: bytes {(first ? "0-1" : "2-3")}/4\r\nContent-Length: 2\r\n\r\n{(first ? "ab" : "cd")}";
        });
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x", "Range: bytes=0-1\r\n");
        node.Time.Advance(TimeSpan.FromSeconds(60));
        await node.Site.GetAsync("/x", "Range: bytes=2-3\r\n");

        var (answer, fetchedAgo) = await node.AskAsync("/x");

        Assert.EndsWith("abcd", answer);
        Assert.Equal(60, fetchedAgo.TotalSeconds);
    }

    [Fact]
    public async Task So_is_the_whole_that_they_are_completed_to()
    {
        await using var origin = RawOrigin.Answering(request => request.Contains("bytes=0-1", StringComparison.Ordinal)
            ? "HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=600\r\nSurrogate-Key: one\r\nETag: \"e\"\r\nContent-Range: bytes 0-1/4\r\nContent-Length: 2\r\n\r\nab"
            : "HTTP/1.1 206 Partial Content\r\nETag: \"e\"\r\nContent-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\ncd");
        await using var node = await PeeredSite.StartAsync(origin);
        await node.Site.GetAsync("/x", "Range: bytes=0-1\r\n");
        node.Time.Advance(TimeSpan.FromSeconds(60));

        var (filled, first) = await node.AskAsync("/x");
        var (hit, second) = await node.AskAsync("/x");

        Assert.Contains("fwd=partial", filled);
        Assert.Contains("cdnedge; hit", hit);
        Assert.All([filled, hit], answer => Assert.EndsWith("abcd", answer));
        Assert.All([filled, hit], answer => Assert.Equal(["one"], PeeredSite.Fields(answer, "Surrogate-Key")));
        Assert.Equal([60.0, 60], [first.TotalSeconds, second.TotalSeconds]);
    }

    [Fact]
    public async Task What_passes_unstored_was_asked_for_after_the_request()
    {
        PeeredSite? node = null;
        await using var origin = RawOrigin.Answering(_ =>
        {
            node!.Time.Advance(TimeSpan.FromSeconds(3));
            return "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nAge: 90\r\nContent-Length: 0\r\n\r\n";
        });
        await using var started = node = await PeeredSite.StartAsync(origin);

        var (_, filled) = await node.AskAsync("/x");
        var (_, posted) = await node.AskAsync("/x", "Content-Length: 0\r\n", HttpMethod.Post);

        Assert.Equal(0, filled.TotalSeconds);
        Assert.Equal(0, posted.TotalSeconds);
    }

    [Fact]
    public async Task The_edges_own_errors_are_signed_too()
    {
        await using var origin = RawOrigin.Serving(connection =>
        {
            connection.Reset();
            return Task.CompletedTask;
        });
        await using var node = await PeeredSite.StartAsync(origin);

        var (answer, fetchedAgo) = await node.AskAsync("/x");

        Assert.StartsWith("HTTP/1.1 502", answer);
        Assert.Equal(0, fetchedAgo.TotalSeconds);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Only_what_is_stored_where_nothing_else_is_wanted(bool honoursVisitors)
    {
        await using var origin = RawOrigin.Answering(Tagged);
        await using var node = await PeeredSite.StartAsync(origin, new CachePolicy { HonourRequestDirectives = honoursVisitors });

        var (none, _) = await node.AskAsync("/x", "Cache-Control: only-if-cached\r\n");
        await node.Site.GetAsync("/x");
        var (hit, _) = await node.AskAsync("/x", "Cache-Control: only-if-cached\r\n");

        Assert.StartsWith("HTTP/1.1 504", none);
        Assert.StartsWith("HTTP/1.1 200", hit);
        Assert.Single(origin.Requests);
    }
}

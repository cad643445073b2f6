using CdnEdge.EndToEnd.Tests.Harness;
using StackExchange.Redis;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The nodes of a PoP share what they fetched through a Redis.</summary>
public sealed class TierScenarios
{
    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(Pop.Large)]
    public async Task What_one_node_fetched_another_has(int length)
    {
        await using var pop = await Pop.StartAsync();
        var body = Pop.Text(length);
        var page = pop.Origin.Serves(origin => origin.Fresh(body, "X-Kind: page"));
        var first = await pop.NodeAsync();
        var second = await pop.NodeAsync();

        Assert.Equal("uri-miss", (await Pop.AskAsync(first, page.Path)).Forwarded);
        await pop.SharedAsync();
        var fromRedis = await Pop.AskAsync(second, page.Path);
        var fromMemory = await Pop.AskAsync(second, page.Path);

        Assert.Equal((200, body, "page", BodyEnd.Whole), (fromRedis.Status, fromRedis.Text, fromRedis.Headers["X-Kind"], fromRedis.End));
        Assert.Equal(["hit", "detail=redis"], fromRedis.CacheStatusParameters.Where(parameter => !parameter.StartsWith("ttl=", StringComparison.Ordinal)));
        Assert.Equal((200, body, true), (fromMemory.Status, fromMemory.Text, fromMemory.IsHit));
        Assert.DoesNotContain("detail=redis", fromMemory.CacheStatusParameters);
        Assert.NotNull(fromRedis.Headers["Age"]);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Each_node_compresses_what_all_of_them_share_as_it_came()
    {
        await using var pop = await Pop.StartAsync();
        var body = string.Concat(Enumerable.Range(0, 500).Select(static i => $"<li>Number {(uint)(i * 2654435761L):x8}</li>\n"));
        var page = pop.Origin.Serves(origin => origin.Fresh(body, "Content-Type: text/html", "ETag: \"v\""));
        var first = await pop.NodeAsync();
        var second = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path, "GET", "Accept-Encoding: br");
        await Deadline.Until(async () => (await Pop.AskAsync(first, page.Path, "GET", "Accept-Encoding: br")).Headers["Content-Encoding"] == "br");
        await pop.SharedAsync();

        var fromRedis = await Pop.AskAsync(second, page.Path, "GET", "Accept-Encoding: br");

        Assert.Contains("detail=redis", fromRedis.CacheStatusParameters);
        Assert.Equal((null, "\"v\"", "Accept-Encoding", body), (fromRedis.Headers["Content-Encoding"], fromRedis.Headers["ETag"], fromRedis.Headers["Vary"], fromRedis.Text));
        await Deadline.Until(async () => (await Pop.AskAsync(second, page.Path, "GET", "Accept-Encoding: br")).Headers["ETag"] == "\"v-br\"");
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_hit_in_memory_touches_no_redis()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh("hello"));
        var node = await pop.NodeAsync();
        await Pop.AskAsync(node, page.Path);
        await pop.SharedAsync();
        var before = await CallsAsync(pop, "get");

        for (var i = 0; i < 100; i++)
            Assert.True((await Pop.AskAsync(node, page.Path)).IsHit);

        // The client library asks a thing or two of its own.
        Assert.InRange(await CallsAsync(pop, "get") - before, 0, 10);
        Assert.True(before > 0);
    }

    [Fact]
    public async Task Ranges_heads_and_only_if_cached_are_answered_from_redis()
    {
        await using var pop = await Pop.StartAsync();
        var body = Pop.Text(Pop.Large);
        var page = pop.Origin.Serves(origin => origin.Fresh(body, "ETag: \"1\""));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();

        var range = await Pop.AskAsync(await pop.NodeAsync(), page.Path, "GET", "Range: bytes=1000000-1000009");
        var head = await Pop.AskAsync(await pop.NodeAsync(), page.Path, "HEAD");
        var cached = await Pop.AskAsync(await pop.NodeAsync(), page.Path, "GET", "Cache-Control: only-if-cached");
        var absent = await Pop.AskAsync(await pop.NodeAsync(), "/absent", "GET", "Cache-Control: only-if-cached");

        Assert.Equal((206, body[1000000..1000010], $"bytes 1000000-1000009/{Pop.Large}"), (range.Status, range.Text, range.Headers["Content-Range"]));
        Assert.Equal((200, (long?)Pop.Large, true), (head.Status, head.Headers.Number("Content-Length"), head.IsHit));
        Assert.Equal((200, Pop.Large, true), (cached.Status, cached.Body.Length, cached.IsHit));
        Assert.Equal(504, absent.Status);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_range_or_head_that_redis_does_not_have_goes_to_the_origin_as_it_is()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: max-age=60", "Content-Length: 5"], origin.Method == "HEAD" ? "" : "hello"));
        var node = await pop.NodeAsync();

        await Pop.AskAsync(node, page.Path, "GET", "Range: bytes=1-2");
        await Pop.AskAsync(await pop.NodeAsync(), "/other", "HEAD");

        Assert.Equal("bytes=1-2", page.Requests.Single().Headers["Range"]);
        Assert.Equal("HEAD", pop.Origin.Requests.Single(request => request.Target == "/other").Method);
    }

    [Fact]
    public async Task Two_cold_nodes_and_twenty_clients_make_one_request()
    {
        await using var pop = await Pop.StartAsync();
        var rest = new Signal("the rest");
        var page = pop.Origin.Serves(async origin =>
        {
            await rest.Opened();
            await origin.Fresh("hello");
        });
        var first = await pop.NodeAsync();
        var second = await pop.NodeAsync();

        var answers = Enumerable.Range(0, 20).Select(i => Pop.AskAsync(i % 2 == 0 ? first : second, page.Path)).ToArray();
        await page.Asked(1);
        await Deadline.Until(async () => (await pop.Redis.NamesAsync()).Any(name => name.Contains(":l:", StringComparison.Ordinal)));
        rest.Open();

        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal((200, "hello"), (answer.Status, answer.Text)));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_node_that_died_while_it_fetched_holds_nobody_up_for_long()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            async origin => await origin.Hang(),
            origin => origin.Fresh("hello"));
        var first = await pop.NodeAsync();
        var second = await pop.NodeAsync();
        var lost = Pop.AskAsync(first, page.Path);
        await page.Asked(1);

        await first.DisposeAsync();
        var answer = await Pop.AskAsync(second, page.Path);

        Assert.Equal((200, "hello"), (answer.Status, answer.Text));
        Assert.Equal(2, page.Requests.Count);
        await Assert.ThrowsAnyAsync<Exception>(() => lost);
    }

    [Fact]
    public async Task What_may_not_be_stored_is_fetched_by_each_without_waiting()
    {
        await using var pop = await Pop.StartAsync();
        var rest = new Signal("the rest");
        var page = pop.Origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: no-store");
            await rest.Opened();
            await origin.Chunk("own");
            await origin.End();
        });
        var first = Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await page.Asked(1);

        // While the first is still under way.
        var second = Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await page.Asked(2);
        rest.Open();

        Assert.Equal(["own", "own"], (await Task.WhenAll(first, second)).Select(answer => answer.Text));
    }

    [Fact]
    public async Task A_cold_node_validates_what_is_stale_in_redis_and_shares_that()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-if-error=600", "ETag: \"1\""], "hello"),
            origin => origin.Respond(304, ["Cache-Control: max-age=600", "ETag: \"1\""]));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();
        await StaleAsync(first, page);

        var validated = await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        Assert.Equal((200, "hello", "stale"), (validated.Status, validated.Text, validated.Forwarded));
        Assert.Contains("fwd-status=304", validated.CacheStatusParameters);
        Assert.Equal("\"1\"", page.Requests[^1].Headers["If-None-Match"]);

        // Fresh again, for everybody.
        await Deadline.Until(async () => (await Pop.AskAsync(await pop.NodeAsync(), page.Path)) is { IsHit: true, Text: "hello" });
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task Stale_from_redis_stands_in_for_an_origin_that_fails()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-if-error=600"], "old"),
            origin => origin.Respond(503, [], "down"));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();
        await StaleAsync(first, page);

        var answer = await Pop.AskAsync(await pop.NodeAsync(), page.Path);

        Assert.Equal((200, "old"), (answer.Status, answer.Text));
        Assert.Contains("detail=stale-if-error", answer.CacheStatus);
    }

    [Fact]
    public async Task Variants_are_shared_each_with_whom_it_is_for()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh($"in {origin.Headers["Accept-Language"]}", "Vary: Accept-Language"));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path, "GET", "Accept-Language: de");
        await Pop.AskAsync(first, page.Path, "GET", "Accept-Language: fr");
        await pop.SharedAsync(names: 3);

        var second = await pop.NodeAsync();
        Assert.Equal("in fr", (await Pop.AskAsync(second, page.Path, "GET", "Accept-Language: fr")).Text);
        Assert.Equal("in de", (await Pop.AskAsync(second, page.Path, "GET", "Accept-Language: de")).Text);
        Assert.Equal(2, page.Requests.Count);
        Assert.Equal("in it", (await Pop.AskAsync(second, page.Path, "GET", "Accept-Language: it")).Text);
    }

    [Theory]
    [InlineData("""{ "tags": [ "page" ] }""")]
    [InlineData("""{ "everything": true }""")]
    [InlineData("""{ "sites": [ "www.example.org" ] }""")]
    public async Task What_was_purged_comes_back_from_redis_to_nobody(string purge)
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh("old", "Surrogate-Key: page"), origin => origin.Fresh("new", "Surrogate-Key: page"));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();
        var second = await pop.NodeAsync();
        await Pop.AskAsync(second, page.Path);

        await Pop.PurgeAsync(first, purge);

        // Also a node that begins afterwards, with nothing but the log to know it from.
        foreach (var node in new[] { await pop.NodeAsync(), second, first })
            Assert.Equal("new", (await Pop.AskAsync(node, page.Path)).Text);
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task A_fetch_that_was_under_way_when_the_purge_came_puts_nothing_into_redis_that_anybody_uses()
    {
        await using var pop = await Pop.StartAsync();
        var rest = new Signal("the rest");
        var page = pop.Origin.Serves(
            async origin =>
            {
                await origin.Begin(200, "Cache-Control: max-age=600");
                await origin.Chunk("old");
                await rest.Opened();
                await origin.End();
            },
            origin => origin.Fresh("new"));
        var first = await pop.NodeAsync();
        var underWay = Pop.AskAsync(first, page.Path);
        await page.Asked(1);

        await Pop.PurgeAsync(await pop.NodeAsync(), """{ "everything": true }""");
        rest.Open();
        Assert.Equal("old", (await underWay).Text);

        Assert.Equal("new", (await Pop.AskAsync(await pop.NodeAsync(), page.Path)).Text);
        Assert.Equal("new", (await Pop.AskAsync(first, page.Path)).Text);
    }

    [Fact]
    public async Task What_was_purged_softly_is_validated_from_redis_or_stands_in_for_an_error()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=600, stale-if-error=600", "ETag: \"1\""], "hello"),
            origin => origin.Respond(503, [], "down"),
            origin => origin.Respond(304, ["Cache-Control: max-age=600, stale-if-error=600", "ETag: \"1\""]));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();

        await Pop.PurgeAsync(first, """{ "everything": true, "soft": true }""");

        var instead = await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        Assert.Equal((200, "hello"), (instead.Status, instead.Text));
        Assert.Contains("detail=stale-if-error", instead.CacheStatus);
        var validated = await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        Assert.Equal((200, "hello"), (validated.Status, validated.Text));
        Assert.Contains("fwd-status=304", validated.CacheStatusParameters);
        Assert.Equal("\"1\"", page.Requests[^1].Headers["If-None-Match"]);

        // What was validated after the purge is fresh for all.
        await Deadline.Until(async () => (await Pop.AskAsync(first, page.Path)).IsHit);
        Assert.Equal(3, page.Requests.Count);
    }

    [Fact]
    public async Task A_change_through_one_node_is_seen_at_the_others()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            origin => origin.Fresh("old"),
            origin => origin.Respond(204, []),
            origin => origin.Fresh("new"));
        var first = await pop.NodeAsync();
        var second = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();
        Assert.Equal("old", (await Pop.AskAsync(second, page.Path)).Text);

        await Pop.AskAsync(first, page.Path, "POST", "Content-Length: 0");

        await Deadline.Until(async () => (await Pop.AskAsync(second, page.Path)).Text == "new");
        Assert.Equal(3, page.Requests.Count);
    }

    [Fact]
    public async Task The_admin_api_shows_both_tiers()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh("hello", "Vary: Accept-Language"));
        var node = await pop.NodeAsync();
        await Pop.AskAsync(node, page.Path, "GET", "Accept-Language: de");
        await pop.SharedAsync(names: 2);
        var query = $"/objects?url={Uri.EscapeDataString($"http://www.example.org{page.Path}")}";

        var variants = (await Pop.AdminAsync(node, $"{query}&header={Uri.EscapeDataString("Accept-Language: de")}"))["stored"]![0]!["variants"]!.AsArray();
        Assert.Equal(["memory", "redis"], variants.Select(variant => (string)variant!["tier"]!));
        Assert.All(variants, variant => Assert.Equal((5L, "hit"), ((long)variant!["bodyBytes"]!, (string)variant["served"]!)));
        Assert.Single((await Pop.AdminAsync(node, query))["stored"]![0]!["variants"]!.AsArray());
    }

    [Fact]
    public async Task A_change_takes_away_what_redis_has()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            origin => origin.Fresh("old"),
            origin => origin.Respond(204, []),
            origin => origin.Fresh("new"));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();

        await Pop.AskAsync(first, page.Path, "POST", "Content-Length: 0");

        await Deadline.Until(async () => (await Pop.AskAsync(await pop.NodeAsync(), page.Path)).Text == "new");
    }

    [Fact]
    public async Task A_head_that_contradicts_takes_away_what_redis_has()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=600", "ETag: \"1\""], "old"),
            origin => origin.Respond(200, ["Cache-Control: max-age=600", "ETag: \"2\""], "new"),
            origin => origin.Fresh("new"));
        var first = await pop.NodeAsync();
        await Pop.AskAsync(first, page.Path);
        await pop.SharedAsync();

        await Pop.AskAsync(first, page.Path, "HEAD", "Cache-Control: no-cache");

        await Deadline.Until(async () => (await Pop.AskAsync(await pop.NodeAsync(), page.Path)).Text == "new");
    }

    private static Task StaleAsync(EdgeProcess node, Resource page) => Deadline.Until(async () =>
        (await Pop.AskAsync(node, page.Path, "GET", "Cache-Control: only-if-cached")).Status == 504);

    private static async Task<long> CallsAsync(Pop pop, string command)
    {
        var statistics = await pop.Redis.Server.InfoAsync("commandstats");
        var line = statistics.SelectMany(static group => group).FirstOrDefault(pair => pair.Key == $"cmdstat_{command}").Value;
        return line is null ? 0 : long.Parse(line.Split(',')[0]["calls=".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}

using System.Diagnostics;
using CdnEdge.EndToEnd.Tests.Harness;
using StackExchange.Redis;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The nodes of a PoP share what they fetched through a Redis.</summary>
public sealed class TierScenarios
{
    private const int Large = 3 * 1024 * 1024 + 17;

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(Large)]
    public async Task What_one_node_fetched_another_has(int length)
    {
        await using var pop = await Pop.StartAsync();
        var body = Text(length);
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
        var body = Text(Large);
        var page = pop.Origin.Serves(origin => origin.Fresh(body, "ETag: \"1\""));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();

        var range = await Pop.AskAsync(await pop.NodeAsync(), page.Path, "GET", "Range: bytes=1000000-1000009");
        var head = await Pop.AskAsync(await pop.NodeAsync(), page.Path, "HEAD");
        var cached = await Pop.AskAsync(await pop.NodeAsync(), page.Path, "GET", "Cache-Control: only-if-cached");
        var absent = await Pop.AskAsync(await pop.NodeAsync(), "/absent", "GET", "Cache-Control: only-if-cached");

        Assert.Equal((206, body[1000000..1000010], $"bytes 1000000-1000009/{Large}"), (range.Status, range.Text, range.Headers["Content-Range"]));
        Assert.Equal((200, (long?)Large, true), (head.Status, head.Headers.Number("Content-Length"), head.IsHit));
        Assert.Equal((200, Large, true), (cached.Status, cached.Body.Length, cached.IsHit));
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

    [Fact]
    public async Task The_first_bytes_leave_before_the_last_have_come()
    {
        await using var pop = await Pop.StartAsync();
        await using var relay = new Relay(pop.Redis.Port);
        var body = Text(Large);
        var page = pop.Origin.Serves(origin => origin.Fresh(body));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();
        var slow = await pop.NodeAsync(relay.Port);

        relay.HoldAfter(1024 * 1024);
        await using var client = await RawClient.Connect(slow.Address);
        await client.Ask("GET", page.Path, Pop.Site);
        var answer = await client.ReceiveHead();
        await answer.ReadUntil(body[..1000]);
        Assert.True(relay.IsHolding);
        Assert.Equal(BodyEnd.Open, answer.End);

        relay.Open();
        await answer.ReadToEnd();
        Assert.Equal((body, BodyEnd.Whole), (answer.Text, answer.End));
        Assert.Single(page.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Redis_lost_in_the_middle_of_a_body_the_origin_has_the_rest(bool same)
    {
        await using var pop = await Pop.StartAsync();
        await using var relay = new Relay(pop.Redis.Port);
        var body = Text(Large);
        var page = pop.Origin.Serves(
            origin => origin.Fresh(body),
            origin => origin.Fresh(same ? body : "z" + body[1..]));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();
        var node = await pop.NodeAsync(relay.Port, ("CdnEdge__Redis__Timeout", "00:00:00.5"));

        relay.HoldAfter(1024 * 1024);
        var answer = await Pop.AskAsync(node, page.Path);

        // Another version's end doesn't belong to this one's beginning: such a body must not look whole.
        Assert.Equal(200, answer.Status);
        Assert.Equal(same ? (BodyEnd.Whole, body) : (BodyEnd.Broken, body[..answer.Text.Length]), (answer.End, answer.Text));
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task Redis_that_hangs_dies_or_comes_late_is_as_if_absent()
    {
        (string, string) asConfigured = ("CdnEdge__Redis__Timeout", "00:00:00.050");
        await using var pop = await Pop.StartAsync();
        var node = await pop.NodeAsync(null, asConfigured);

        pop.Redis.Pause();
        for (var i = 0; i < 10; i++)
            await MissAsync(pop, node);
        pop.Redis.Resume();
        await SharedAgainAsync(pop, node);

        await pop.Redis.StopAsync();
        for (var i = 0; i < 10; i++)
            await MissAsync(pop, node);
        var late = await pop.NodeAsync(null, asConfigured);
        await MissAsync(pop, late);
        await pop.Redis.StartAgainAsync();
        await SharedAgainAsync(pop, late);
        await SharedAgainAsync(pop, node);

        // One line per change of state, not per request.
        Assert.InRange(node.Output.Split('\n').Count(line => line.Contains("Redis doesn't answer", StringComparison.Ordinal)), 1, 3);
    }

    [Fact]
    public async Task Garbage_in_redis_is_as_if_absent()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh(Text(Large)));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();
        foreach (var name in await pop.Redis.NamesAsync())
            await pop.Redis.Database.StringSetAsync(name, new string('x', 1000));

        var answer = await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        Assert.Equal((200, Text(Large)), (answer.Status, answer.Text));

        foreach (var name in await pop.Redis.NamesAsync())
        {
            await pop.Redis.Database.KeyDeleteAsync(name);
            await pop.Redis.Database.HashSetAsync(name, "a", "b");
        }

        Assert.Equal(200, (await Pop.AskAsync(await pop.NodeAsync(), page.Path)).Status);
    }

    [Fact]
    public async Task Without_a_key_the_tier_stays_off_and_says_so()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh("hello"));
        var node = await pop.NodeAsync(null, ("CdnEdge__Redis__AllowPlaintext", "false"));

        await Pop.AskAsync(node, page.Path);
        await Pop.AskAsync(await pop.NodeAsync(null, ("CdnEdge__Redis__AllowPlaintext", "false")), page.Path);

        Assert.Equal(2, page.Requests.Count);
        Assert.Contains("CdnEdge:Redis:Keys has no key", node.Output);
    }

    [Fact]
    public async Task With_keys_nobody_reads_it_but_who_has_them()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh("a secret that nobody may read", "X-Also: hidden"));
        var key = ("CdnEdge__Redis__Keys__2026", Convert.ToBase64String(Enumerable.Range(0, 32).Select(static i => (byte)i).ToArray()));
        await Pop.AskAsync(await pop.NodeAsync(null, key), page.Path);
        await pop.SharedAsync();

        foreach (var name in await pop.Redis.NamesAsync())
        {
            Assert.DoesNotContain(page.Path, name, StringComparison.Ordinal);
            var value = ((string?)await pop.Redis.Database.StringGetAsync(name))!;
            Assert.DoesNotContain("secret", value, StringComparison.Ordinal);
            Assert.DoesNotContain("hidden", value, StringComparison.Ordinal);
        }

        Assert.True((await Pop.AskAsync(await pop.NodeAsync(null, key), page.Path)).IsHit);
        Assert.False((await Pop.AskAsync(await pop.NodeAsync(), page.Path)).IsHit);
    }

    /// <summary>A miss, at about the latency of a plain one.</summary>
    private static async Task MissAsync(Pop pop, EdgeProcess node)
    {
        var page = pop.Origin.Serves(origin => origin.Fresh("hello"));
        var began = Stopwatch.GetTimestamp();
        var answer = await Pop.AskAsync(node, page.Path);
        Assert.Equal((200, "hello"), (answer.Status, answer.Text));
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5), "A client waited for Redis.");
    }

    private static Task SharedAgainAsync(Pop pop, EdgeProcess node) => Deadline.Until(async () =>
    {
        var page = pop.Origin.Serves(origin => origin.Fresh("hello"));
        var before = (await pop.Redis.NamesAsync()).Length;
        await Pop.AskAsync(node, page.Path);
        await Task.Delay(50);
        return (await pop.Redis.NamesAsync()).Length > before;
    });

    private static Task StaleAsync(EdgeProcess node, Resource page) => Deadline.Until(async () =>
        (await Pop.AskAsync(node, page.Path, "GET", "Cache-Control: only-if-cached")).Status == 504);

    private static async Task<long> CallsAsync(Pop pop, string command)
    {
        var statistics = await pop.Redis.Server.InfoAsync("commandstats");
        var line = statistics.SelectMany(static group => group).FirstOrDefault(pair => pair.Key == $"cmdstat_{command}").Value;
        return line is null ? 0 : long.Parse(line.Split(',')[0]["calls=".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Text(int length) =>
        string.Create(length, 0, static (text, _) =>
        {
            for (var i = 0; i < text.Length; i++)
                text[i] = (char)('a' + (i * 31 + i / 1000) % 26);
        });
}

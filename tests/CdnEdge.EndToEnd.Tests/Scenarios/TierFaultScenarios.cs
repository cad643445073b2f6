using System.Diagnostics;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Redis slow, gone, full of rubbish, or without keys: no client notices.</summary>
public sealed class TierFaultScenarios
{
    [Fact]
    public async Task The_first_bytes_leave_before_the_last_have_come()
    {
        await using var pop = await Pop.StartAsync();
        await using var relay = new Relay(pop.Redis.Port);
        var body = Pop.Text(Pop.Large);
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
        var body = Pop.Text(Pop.Large);
        var page = pop.Origin.Serves(
            origin => origin.Fresh(body),
            origin => origin.Fresh(same ? body : "z" + body[1..]));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();
        var node = await pop.NodeAsync(relay.Port);

        relay.HoldAfter(1024 * 1024);
        var asking = Pop.AskAsync(node, page.Path);
        await Deadline.Until(() => relay.IsHolding);
        await relay.CloseAsync();
        var answer = await asking;

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
    public async Task A_lease_taken_before_the_log_was_lost_holds_nobody_up()
    {
        await using var pop = await Pop.StartAsync();
        var rest = new Signal("the rest");
        var page = pop.Origin.Serves(async origin =>
        {
            await rest.Opened();
            await origin.Fresh("hello");
        });
        var node = await pop.NodeAsync();
        var asking = Pop.AskAsync(node, page.Path);
        await page.Asked(1);
        await Deadline.Until(async () => await HasLeaseAsync(pop));

        // Another program's key in the place of the log: what is in Redis can't be judged, so nothing is shared from now on.
        await pop.Redis.Database.StringSetAsync("{cdnedge:purges}", "not a stream");
        await Deadline.Until(() => node.Output.Contains("The log of purges can't be used", StringComparison.Ordinal));
        rest.Open();

        Assert.Equal("hello", (await asking).Text);
        await Deadline.Until(async () => !await HasLeaseAsync(pop));
    }

    [Fact]
    public async Task Garbage_in_redis_is_as_if_absent()
    {
        await using var pop = await Pop.StartAsync();
        var page = pop.Origin.Serves(origin => origin.Fresh(Pop.Text(Pop.Large)));
        await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        await pop.SharedAsync();
        foreach (var name in await pop.NamesAsync())
            await pop.Redis.Database.StringSetAsync(name, new string('x', 1000));

        var answer = await Pop.AskAsync(await pop.NodeAsync(), page.Path);
        Assert.Equal((200, Pop.Text(Pop.Large)), (answer.Status, answer.Text));

        foreach (var name in await pop.NamesAsync())
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

        foreach (var name in await pop.NamesAsync())
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

    private static async Task<bool> HasLeaseAsync(Pop pop) => (await pop.Redis.NamesAsync()).Any(name => name.Contains(":l:", StringComparison.Ordinal));

    private static Task SharedAgainAsync(Pop pop, EdgeProcess node) => Deadline.Until(async () =>
    {
        var page = pop.Origin.Serves(origin => origin.Fresh("hello"));
        var before = (await pop.NamesAsync()).Count;
        await Pop.AskAsync(node, page.Path);
        await Task.Delay(50);
        return (await pop.NamesAsync()).Count > before;
    });
}

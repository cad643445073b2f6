using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Purges on their way to every node of every PoP, whatever breaks meanwhile.</summary>
public sealed class PropagationScenarios
{
    private const int Burst = 10_000;

    private const int Step = 20;

    // Every twentieth page of a burst is stored everywhere before.
    private static readonly int[] Stored = [.. Enumerable.Range(0, Burst / Step).Select(static i => i * Step)];

    [Fact]
    public async Task A_purge_through_one_node_takes_effect_on_the_other()
    {
        await using var scene = await PurgeScene.StartAsync();
        var redis = await scene.RedisAsync();
        var nodes = await Task.WhenAll(scene.NodeAsync("lhr", "a", redis), scene.NodeAsync("lhr", "b", redis));
        var (a, b) = (nodes[0], nodes[1]);
        object[] purges =
        [
            new { urls = new[] { $"http://{PurgeScene.Site}/1" } },
            new { tags = new[] { "page-1" } },
            new { prefixes = new[] { $"http://{PurgeScene.Site}/" } },
            new { sites = new[] { PurgeScene.Site } },
            new { everything = true },
            new { tags = new[] { "all" }, soft = true },
        ];
        for (var i = 0; i < purges.Length; i++)
        {
            scene.Content = $"before {i}";
            await a.PurgeAsync(new { everything = true }, "?wait=all");
            await a.WarmAsync([1]);
            await b.WarmAsync([1]);
            scene.Content = $"after {i}";

            await a.PurgeAsync(purges[i]);

            Assert.Equal($"after {i}", (await a.GetAsync(1)).Body);
            await Deadline.Until(async () => (await b.GetAsync(1)).Body == $"after {i}");
        }

        var stats = (await b.AdminAsync("/stats"))["purge"]!;
        Assert.Equal(("lhr", "b", "redis", true), ((string)stats["pop"]!, (string)stats["node"]!, (string)stats["log"]!, (bool)stats["caughtUp"]!));
        Assert.Equal(0, await a.Process.StopAsync());
        Assert.DoesNotContain("xception", a.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_killed_in_a_burst_and_started_again_serves_nothing_purged_nor_does_the_other()
    {
        await using var scene = await PurgeScene.StartAsync();
        var redis = await scene.RedisAsync(RedisServer.Durable);
        var nodes = await Task.WhenAll(scene.NodeAsync("lhr", "a", redis), scene.NodeAsync("lhr", "b", redis));
        var (a, b) = (nodes[0], nodes[1]);
        await WarmAsync(Stored, nodes);
        scene.Content = "new";

        var (done, repeated) = (0, 0);
        var killed = new Lazy<Task>(() => a.DisposeAsync().AsTask());
        await PurgeNode.EachAsync(Enumerable.Range(0, Burst), async page =>
        {
            if (Interlocked.Increment(ref done) == Burst / 2)
                await killed.Value;
            if (page % 2 == 0 && await TryAsync(a, page) == PurgeOutcome.Accepted)
                return;
            Interlocked.Increment(ref repeated);
            Assert.Equal(PurgeOutcome.Accepted, await b.PurgeAsync(page));
        });
        a = await scene.NodeAsync("lhr", "a", redis);

        Assert.True(repeated > Burst / 2, "It wasn't killed in the burst.");
        Assert.Empty(await a.OthersThanAsync("new", Stored));
        Assert.Empty(await b.OthersThanAsync("new", Stored));

        static async Task<PurgeOutcome> TryAsync(PurgeNode node, int page)
        {
            try
            {
                return await node.PurgeAsync(page);
            }
            catch (Exception gone) when (gone is ObjectDisposedException || (gone is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
            {
                return PurgeOutcome.Unknown; // its client went with it
            }
        }
    }

    [Theory]
    [InlineData(Burst, true)]
    [InlineData(2000, false)]
    public async Task What_was_accepted_while_redis_was_restarted_is_served_by_nobody(int burst, bool isDurable)
    {
        await using var scene = await PurgeScene.StartAsync();
        var redis = await scene.RedisAsync(isDurable ? RedisServer.Durable : []);
        var nodes = await Task.WhenAll(scene.NodeAsync("lhr", "a", redis), scene.NodeAsync("lhr", "b", redis));
        await WarmAsync(Stored.Where(page => page < burst), nodes);
        scene.Content = "new";

        var accepted = new ConcurrentBag<int>();
        var (done, refused) = (0, 0);
        await PurgeNode.EachAsync(Enumerable.Range(0, burst), async page =>
        {
            // What comes after the snapshot is lost where there's no more than that.
            var at = Interlocked.Increment(ref done);
            if (at == burst / 4 && !isDurable)
                await redis.Database.ExecuteAsync("SAVE");
            if (at == burst / 2)
                await redis.StopAsync();
            if (at == burst * 3 / 4)
                await redis.StartAgainAsync();

            var outcome = await nodes[page % 2].PurgeAsync(page);
            if (outcome == PurgeOutcome.Accepted)
                accepted.Add(page);
            else
                Interlocked.Increment(ref refused);
            Assert.NotEqual(PurgeOutcome.Unknown, outcome);
        });
        foreach (var node in nodes)
            await Deadline.Until(async () => await node.PurgeAsync(Burst) == PurgeOutcome.Accepted, "purges to be accepted again");
        await Deadline.Until(async () => (bool)(await nodes[0].PurgeAsync(new { urls = new[] { $"http://{PurgeScene.Site}/last" } }, "?wait=all"))["everywhere"]!);

        Assert.InRange(refused, 1, burst * 3 / 4);
        var stored = accepted.Where(static page => page % Step == 0).ToList();
        foreach (var node in nodes)
        {
            await Deadline.Until(async () => (await node.OthersThanAsync("new", stored)).Length == 0, "nothing that was purged to be served");
            Assert.Equal(!isDurable, node.Process.Output.Contains("has lost entries", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_PoP_cut_off_for_a_burst_serves_nothing_of_it_when_it_is_back()
    {
        await using var scene = await PurgeScene.StartAsync();
        var (toLhr, toFra) = (scene.Relay(), scene.Relay());
        var redises = await Task.WhenAll(scene.RedisAsync(), scene.RedisAsync());
        var nodes = await Task.WhenAll(
            scene.NodeAsync("lhr", "a", redises[0], [("fra", toFra)]), scene.NodeAsync("fra", "c", redises[1], [("lhr", toLhr)]));
        var (a, c) = (nodes[0], nodes[1]);
        (toLhr.Target, toFra.Target) = (a.AdminPort, c.AdminPort);
        await WarmAsync(Stored.Append(Burst), nodes);
        scene.Content = "new";
        Assert.True((bool)(await a.PurgeAsync(new { tags = new[] { "first" } }, "?wait=all"))["everywhere"]!);

        await toFra.CloseAsync();
        await PurgeNode.EachAsync(Enumerable.Range(0, Burst), async page => Assert.Equal(PurgeOutcome.Accepted, await a.PurgeAsync(page)));
        Assert.Equal(PurgeOutcome.Accepted, await c.PurgeAsync(Burst));
        var last = await a.PurgeAsync(new { tags = new[] { "last" } }, "?wait=all&timeout=30");

        var fra = Assert.Single(last["pops"]!.AsArray())!;
        Assert.Equal(("fra", false, false), ((string)fra["name"]!, (bool)fra["acknowledged"]!, (bool)fra["reachable"]!));
        Assert.NotNull(fra["lastError"]);
        Assert.Equal("old", (await c.GetAsync(0)).Body);
        Assert.InRange((int)(await a.AdminAsync("/stats"))["purge"]!["peers"]![0]!["unacknowledged"]!, Burst, Burst + 1);

        toFra.ListenAgain();
        JsonNode status = null!;
        await Deadline.Until(async () => (bool)(status = await a.AdminAsync($"/purges/{last["id"]}"))["everywhere"]!);

        Assert.True((bool)status["pops"]![0]!["acknowledged"]!);
        Assert.Empty(await c.OthersThanAsync("new", Stored));
        Assert.Empty(await a.OthersThanAsync("new", Stored));
        await Deadline.Until(async () => (await a.GetAsync(Burst)).Body == "new", "what the cut off PoP purged to be gone in the other");
    }

    [Fact]
    public async Task Who_missed_what_was_trimmed_trusts_nothing_older()
    {
        const int Purges = 1500;
        await using var scene = await PurgeScene.StartAsync();
        var toFra = scene.Relay();
        var redises = await Task.WhenAll(scene.RedisAsync(), scene.RedisAsync());
        (string, string)[] shortLog = [("CdnEdge__Purge__MaxLogEntries", "1000")];
        var nodes = await Task.WhenAll(
            scene.NodeAsync("lhr", "a", redises[0], [("fra", toFra)], shortLog),
            scene.NodeAsync("lhr", "b", redises[0], [("fra", toFra)], shortLog),
            scene.NodeAsync("fra", "c", redises[1]));
        var (a, b, c) = (nodes[0], nodes[1], nodes[2]);
        toFra.Target = c.AdminPort;
        int[] pages = [0, 1, 2, 10_000];
        await WarmAsync(pages, nodes);
        await a.PurgeAsync(new { tags = new[] { "first" } }, "?wait=all");
        scene.Content = "new";

        b.Process.Pause();
        await toFra.CloseAsync();
        await PurgeNode.EachAsync(Enumerable.Range(0, Purges), async page => Assert.Equal(PurgeOutcome.Accepted, await a.PurgeAsync(page)));
        b.Process.Resume();
        toFra.ListenAgain();

        foreach (var late in (PurgeNode[])[b, c])
        {
            // Not purged, as it happens; but that's no longer known there.
            (string Body, string CacheStatus) other = default;
            await Deadline.Until(async () => (other = await late.GetAsync(10_000)).Body == "new", "the page to be fetched anew");
            Assert.Contains("fwd=stale", other.CacheStatus, StringComparison.Ordinal);
            Assert.Empty(await late.OthersThanAsync("new", [0, 1, 2]));
        }

        Assert.StartsWith("cdnedge; hit", (await a.GetAsync(10_000)).CacheStatus, StringComparison.Ordinal);
        Assert.Contains("trimmed before this node had read it", b.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_with_a_file_each_tell_each_other_and_lose_nothing_when_they_are_killed()
    {
        await using var scene = await PurgeScene.StartAsync();
        var (toLhr, toFra) = (scene.Relay(), scene.Relay());
        Task<PurgeNode> Lhr() => scene.NodeAsync("lhr", "a", null, [("fra", toFra)]);
        Task<PurgeNode> Fra() => scene.NodeAsync("fra", "c", null, [("lhr", toLhr)]);
        var nodes = await Task.WhenAll(Lhr(), Fra());
        var (a, c) = (nodes[0], nodes[1]);
        (toLhr.Target, toFra.Target) = (a.AdminPort, c.AdminPort);
        int[] pages = [.. Enumerable.Range(0, 500)];
        await WarmAsync(pages, nodes);
        scene.Content = "new";
        await a.PurgeAsync(new { urls = new[] { $"http://{PurgeScene.Site}/0" } }, "?wait=all");
        Assert.Equal("new", (await c.GetAsync(0)).Body);

        // Accepted while the other one is away; killed before it could tell.
        await toFra.CloseAsync();
        await PurgeNode.EachAsync(pages, async page => Assert.Equal(PurgeOutcome.Accepted, await a.PurgeAsync(page)));
        var last = await a.PurgeAsync(new { tags = new[] { "last" } });
        await a.DisposeAsync();
        a = await Lhr();
        toLhr.Target = a.AdminPort;
        Assert.Equal("old", (await c.GetAsync(1)).Body);
        toFra.ListenAgain();

        await Deadline.Until(async () => (bool)(await a.AdminAsync($"/purges/{last["id"]}"))["everywhere"]!);
        Assert.Empty(await c.OthersThanAsync("new", pages));

        // The receiver knows after its restart what it had acknowledged.
        await c.DisposeAsync();
        c = await Fra();
        toFra.Target = c.AdminPort;
        await Deadline.Until(async () => (bool)(await a.PurgeAsync(new { tags = new[] { "again" } }, "?wait=all"))["everywhere"]!);
        Assert.Equal(0, (int)(await a.AdminAsync("/stats"))["purge"]!["peers"]![0]!["unacknowledged"]!);
    }

    private static Task WarmAsync(IEnumerable<int> pages, params PurgeNode[] nodes) => Task.WhenAll(nodes.Select(node => node.WarmAsync(pages)));
}

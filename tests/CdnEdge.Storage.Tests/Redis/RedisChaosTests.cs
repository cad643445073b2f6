using System.Diagnostics;
using CdnEdge.Storage.Redis;

namespace CdnEdge.Storage.Tests.Redis;

public class RedisChaosTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task A_node_begins_without_redis_and_picks_it_up_when_it_comes()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.StopAsync();
        await using var node = new Node(redis.Connection);
        Assert.Null(await node.FindAsync("/a"));
        Assert.Equal(TierClaimKind.Alone, (await node.ClaimAsync("/a", TimeSpan.FromSeconds(9))).Kind);
        node.Store("/a", [1]);

        await redis.StartAgainAsync();
        await ComesBack(node);
    }

    [Fact]
    public async Task Stopped_and_started_again_it_is_used_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        await redis.StopAsync();
        for (var i = 0; i < 50; i++)
            Assert.Null(await node.FindAsync("/a"));
        Assert.True(node.Count("lookups open") > 0);
        Assert.True(node.Count("lookups error") < 50);

        await redis.StartAgainAsync();
        await ComesBack(node);
        Assert.Equal(["RedisOpened", "RedisClosed"], node.Logged);
    }

    [Fact]
    public async Task Held_still_it_costs_a_few_requests_their_patience_then_none()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection, static options => options.Timeout = Timeout);
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        redis.Pause();
        await Deadline.Until(async () =>
        {
            Assert.Null(await node.FindAsync("/a"));
            return node.Tier.Calls.IsOpen;
        });

        // Not asked any more: answered on the spot, whatever the number.
        var open = node.Count("lookups open");
        var errors = node.Count("lookups error");
        for (var i = 0; i < 100; i++)
            Assert.Null(await node.FindAsync("/a"));
        Assert.True(node.Count("lookups open") > open);
        Assert.InRange(node.Count("lookups error") - errors, 0, 5); // now and then one tries
        Assert.Equal(TierClaimKind.Alone, (await node.ClaimAsync("/a", TimeSpan.FromSeconds(9))).Kind);

        redis.Resume();
        await Deadline.Until(async () => await node.FindAsync("/a") is { } hit && (await Node.ReadAsync(hit)) is [1]);
        Assert.Equal(["RedisOpened", "RedisClosed"], node.Logged);
    }

    [Fact]
    public async Task A_body_whose_rest_does_not_come_breaks_off()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        var body = Content.Of(20 * RedisRecord.ChunkBytes, 1);
        await node.StoreAsync("/a", body);
        await using var hit = await node.FindAsync("/a");
        Assert.Equal(body[..RedisRecord.ChunkBytes], (await hit!.Body!.ReadAsync(TestContext.Current.CancellationToken)).ToArray());
        await redis.StopAsync();
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (await hit.Body.ReadAsync(TestContext.Current.CancellationToken) is { IsEmpty: false })
            {
            }
        });
        Assert.Equal(1, node.Count("broken_bodies"));
    }

    [Fact]
    public async Task Full_it_takes_nothing_and_still_answers()
    {
        await using var redis = await RedisServer.StartAsync("--maxmemory-policy", "noeviction");
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        await redis.Server.ConfigSetAsync("maxmemory", "1");
        for (var i = 0; i < 10; i++)
            await node.StoreAsync("/b", [2], outcome: "refused");
        Assert.Equal([1], await Node.ReadAsync((await node.FindAsync("/a"))!));
        Assert.Equal(TierClaimKind.Alone, (await node.ClaimAsync("/b", TimeSpan.FromSeconds(9))).Kind);

        await redis.Server.ConfigSetAsync("maxmemory", "0");
        await node.StoreAsync("/b", [2]);
        Assert.Equal(["RedisRefuses", "RedisAccepts"], node.Logged);
    }

    [Fact]
    public async Task A_replica_while_failing_over_takes_nothing_and_harms_nobody()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        await redis.Database.ExecuteAsync("REPLICAOF", "127.0.0.1", "1");
        await node.StoreAsync("/b", [2], outcome: "refused");
        Assert.Equal(TierClaimKind.Alone, (await node.ClaimAsync("/b", TimeSpan.FromSeconds(9))).Kind);

        await redis.Database.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await ComesBack(node);
    }

    [Fact]
    public async Task Too_many_that_wait_are_dropped()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        redis.Pause();
        var since = Stopwatch.GetTimestamp();
        while (node.Count("stores dropped") == 0 && !node.Tier.Calls.IsOpen)
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(20));
            node.Store("/a", [1]);
        }

        Assert.True(node.Count("stores dropped") > 0);
        redis.Resume();
    }

    private static async Task ComesBack(Node node) => await Deadline.Until(async () =>
    {
        node.Store("/back", [1]);
        return await node.FindAsync("/back") is { } hit && (await Node.ReadAsync(hit)) is [1];
    });
}

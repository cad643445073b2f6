using CdnEdge.Storage.Redis;
using StackExchange.Redis;

namespace CdnEdge.Storage.Tests.Redis;

public class RedisLeaseTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task One_of_many_nodes_fetches_and_the_others_find_what_it_stored()
    {
        await using var redis = await RedisServer.StartAsync();
        var nodes = new List<Node>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                nodes.Add(new Node(redis.Connection));
                await nodes[i].Connected();
            }

            var leads = 0;
            var answers = await Task.WhenAll(nodes.Concat(nodes).Concat(nodes).Select(async node =>
            {
                var claim = await node.ClaimAsync("/a", Patience);
                if (claim.Kind != TierClaimKind.Lead)
                    return (claim.Kind, await Node.ReadAsync(claim.Hit!));
                Interlocked.Increment(ref leads);
                node.Store("/a", [42], lease: claim.Lease);
                return (claim.Kind, [42]);
            }));

            Assert.Equal(1, leads);
            Assert.All(answers, static answer => Assert.Equal([42], answer.Item2));
            Assert.Equal(11, answers.Count(static answer => answer.Kind == TierClaimKind.Found));
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Nobody_waits_for_what_could_not_be_stored()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        var claim = await node.ClaimAsync("/a", Patience);
        var waiting = node.ClaimAsync("/a", Patience).AsTask();
        await claim.Lease!.MarkUncacheableAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(TierClaimKind.Uncacheable, (await waiting).Kind);
        Assert.Equal(TierClaimKind.Uncacheable, (await node.ClaimAsync("/a", Patience)).Kind);
        Assert.InRange((await redis.Database.KeyTimeToLiveAsync((await redis.NamesAsync()).Single()))!.Value.TotalSeconds, 1, 60);
    }

    [Fact]
    public async Task A_lease_given_back_is_another_nodes()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        var first = await node.ClaimAsync("/a", Patience);
        var waiting = node.ClaimAsync("/a", Patience).AsTask();
        await first.Lease!.DisposeAsync();
        await first.Lease.DisposeAsync();
        var second = await waiting;
        Assert.Equal(TierClaimKind.Lead, second.Kind);
        await second.Lease!.DisposeAsync();
        Assert.Empty(await redis.NamesAsync());
    }

    [Fact]
    public async Task Who_waited_long_enough_fetches_alone()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        var first = await node.ClaimAsync("/a", Patience);
        Assert.Equal(TierClaimKind.Alone, (await node.ClaimAsync("/a", TimeSpan.FromMilliseconds(50))).Kind);
        await first.Lease!.DisposeAsync();
    }

    [Fact]
    public async Task A_lease_lives_while_its_holder_does_and_no_longer()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        var claim = await node.ClaimAsync("/a", Patience);
        var name = (await redis.NamesAsync()).Single();
        Assert.InRange((await redis.Database.KeyTimeToLiveAsync(name))!.Value, TimeSpan.Zero, RedisLease.Life);

        // Nearly run out, it's prolonged at the holder's next turn.
        await Deadline.Until(async () => await redis.Database.KeyTimeToLiveAsync(name) < RedisLease.Life - TimeSpan.FromMilliseconds(500));
        await Deadline.Until(async () => await redis.Database.KeyTimeToLiveAsync(name) > RedisLease.Life - TimeSpan.FromMilliseconds(400));

        // Another's by now: neither prolonged nor given back.
        await redis.Database.StringSetAsync(name, "another's", TimeSpan.FromMinutes(1), When.Always);
        await claim.Lease!.DisposeAsync();
        Assert.Equal("another's", await redis.Database.StringGetAsync(name));
        await redis.Database.KeyExpireAsync(name, TimeSpan.FromMilliseconds(100));
        var next = await node.ClaimAsync("/a", Patience);
        Assert.Equal(TierClaimKind.Lead, next.Kind);
        await next.Lease!.DisposeAsync();
    }
}

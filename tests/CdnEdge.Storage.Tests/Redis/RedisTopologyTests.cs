using System.Diagnostics;

namespace CdnEdge.Storage.Tests.Redis;

/// <summary>More than one Redis: a cluster's slots, and a replica that takes over.</summary>
public class RedisTopologyTests
{
    [Fact]
    public async Task In_a_cluster_all_of_a_url_lies_in_one_slot_and_leases_and_scripts_work()
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RedisServer.StartAsync(
            "--cluster-enabled", "yes", "--cluster-port", $"{RedisServer.FreePort()}", "--cluster-node-timeout", "2000")));
        try
        {
            await RunAsync("redis-cli", ["--cluster", "create", .. servers.Select(server => $"127.0.0.1:{server.Port}"), "--cluster-yes"]);
            await using var first = new Node($"{servers[0].Connection},{servers[1].Connection}");
            await using var second = new Node(servers[2].Connection);
            await Deadline.Until(async () => await StoresAsync(first));

            // Enough that each server has some.
            for (var i = 0; i < 12; i++)
            {
                await first.StoreAsync($"/{i}", Content.Of(600_000, (byte)i), ["Cache-Control: max-age=60", "Vary: X-Kind"]);
                TierHit? hit = null;
                await Deadline.Until(async () => (hit = await second.FindAsync($"/{i}")) is not null);
                Assert.Equal(Content.Of(600_000, (byte)i), await Node.ReadAsync(hit!));
            }

            Assert.All(servers, server => Assert.True(server.Server.DatabaseSize() > 0));

            var lead = await first.ClaimAsync("/absent", TimeSpan.FromSeconds(1));
            Assert.Equal(TierClaimKind.Lead, lead.Kind);
            await lead.Lease!.MarkUncacheableAsync(TimeSpan.FromMinutes(1));
            Assert.Equal(TierClaimKind.Uncacheable, (await second.ClaimAsync("/absent", TimeSpan.FromSeconds(1))).Kind);
        }
        finally
        {
            foreach (var server in servers)
                await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_replica_that_was_promoted_takes_over()
    {
        await using var master = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{master.Port}");
        await using var node = new Node($"{master.Connection},{replica.Connection}");
        await Deadline.Until(async () => await StoresAsync(node));
        await node.StoreAsync("/a", [1]);
        await Deadline.Until(async () => (await replica.NamesAsync()).Length >= 2);

        await master.StopAsync();
        Assert.Null((await Record.ExceptionAsync(async () => await node.FindAsync("/a"))));
        await RunAsync("redis-cli", ["-p", $"{replica.Port}", "replicaof", "no", "one"]);

        await Deadline.Until(async () => await StoresAsync(node));
        TierHit? hit = null;
        await Deadline.Until(async () => (hit = await node.FindAsync("/a")) is not null);
        Assert.Equal([1], await Node.ReadAsync(hit!));
    }

    private static async Task<bool> StoresAsync(Node node)
    {
        node.Store("/probe", [7]);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        return await node.FindAsync("/probe") is { } hit && (await Node.ReadAsync(hit)).Length == 1;
    }

    private static async Task RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
    }
}

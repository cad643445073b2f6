using CdnEdge.Control.Tests.Scene;
using CdnEdge.Storage;

namespace CdnEdge.Control.Tests.Purging;

/// <summary>Nodes of one PoP and their Redis, a real one.</summary>
public sealed class RedisPurgeTests : IAsyncLifetime
{
    private readonly List<PopNode> _nodes = [];
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync(RedisServer.Durable);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_purge_is_in_effect_here_when_it_is_accepted_and_soon_on_the_other_nodes()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));

        await a.PurgeAsync("/page");

        Assert.Equal(PurgeVerdict.Gone, a.Judge("/page", 0));
        Assert.Equal(PurgeVerdict.Valid, a.Judge("/other", 0));
        Assert.Equal(PurgeVerdict.Valid, a.Judge("/page", a.Epochs.Now));
        await Deadline.Until(() => b.Judge("/page", 0) == PurgeVerdict.Gone);
        Assert.Equal(a.Bus.Tail.Position, b.Epochs.Now);
    }

    [Fact]
    public async Task A_node_that_starts_reads_the_whole_log_before_it_is_caught_up()
    {
        var a = await NodeAsync("a");
        await Task.WhenAll(Enumerable.Range(0, 2500).Select(i => a.PurgeAsync($"/{i}")));

        var b = await NodeAsync("b");

        await Deadline.Until(() => b.Bus.IsCaughtUp);
        Assert.All(Enumerable.Range(0, 2500), i => Assert.Equal(PurgeVerdict.Gone, b.Judge($"/{i}", 0)));
        Assert.Equal(PurgeVerdict.Valid, b.Judge("/none", 0));
    }

    [Fact]
    public async Task A_restarted_Redis_has_all_of_a_burst_that_was_accepted()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        await a.PurgeAsync("/first");
        var burst = Enumerable.Range(0, 2000).Select(i => TryPurgeAsync(i % 2 == 0 ? a : b, $"/{i}")).ToArray();
        await Deadline.Until(() => burst.Any(static one => one.IsCompleted));

        await _redis.StopAsync();
        var accepted = await Task.WhenAll(burst);
        await Assert.ThrowsAsync<PurgeLogUnavailableException>(() => a.PurgeAsync("/meanwhile"));
        await _redis.StartAgainAsync();

        await Deadline.Until(async () => await TryPurgeAsync(a, "/after"));
        await Deadline.Until(() => b.Judge("/after", 0) == PurgeVerdict.Gone);
        var fresh = await NodeAsync("c");
        await Deadline.Until(() => fresh.Bus.IsCaughtUp);
        foreach (var i in Enumerable.Range(0, 2000).Where(i => accepted[i]))
        {
            Assert.Equal(PurgeVerdict.Gone, a.Judge($"/{i}", 0));
            Assert.Equal(PurgeVerdict.Gone, b.Judge($"/{i}", 0));
            Assert.Equal(PurgeVerdict.Gone, fresh.Judge($"/{i}", 0));
        }
    }

    [Fact]
    public async Task When_the_log_is_lost_nothing_older_is_trusted_and_what_was_accepted_stands_in_the_new_one()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        await a.PurgeAsync("/page");
        await Deadline.Until(() => b.Judge("/page", 0) == PurgeVerdict.Gone);
        var before = a.Epochs.Now;

        await FlushAsync();

        await Deadline.Until(() => a.Judge("/other", before) == PurgeVerdict.Stale && b.Judge("/other", before) == PurgeVerdict.Stale);
        await a.PurgeAsync("/second");
        Assert.Equal(PurgeVerdict.Gone, a.Judge("/second", before));
        await Deadline.Until(() => b.Judge("/second", before) == PurgeVerdict.Gone);
        var late = await NodeAsync("c");
        await Deadline.Until(() => late.Judge("/page", 0) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Stale, late.Judge("/other", before));
        await Deadline.Until(() => a.Judge("/other", a.Epochs.Now) == PurgeVerdict.Valid);
    }

    [Fact]
    public async Task A_node_past_which_the_log_was_trimmed_trusts_nothing_older()
    {
        var a = await NodeAsync("a");
        await a.PurgeAsync("/first");
        await using var connection = await _redis.ConnectAsync();
        var writer = new RedisPurgeLog(() => connection, "test", 1_000_000, TimeSpan.FromDays(1));
        var epochs = new PurgeEpochs();
        var applier = new PurgeApplier(epochs, () => [new Caching.CachePolicy()]);
        var slow = new PurgeTail(writer, epochs, applier, a.Metrics, "here", "", TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using (var reading = new CancellationTokenSource())
        {
            var following = slow.FollowAsync(() => Task.CompletedTask, reading.Token);
            await Deadline.Until(() => slow.Position == a.Bus.Tail.Position);
            await reading.CancelAsync();
            await following;
        }

        var position = slow.Position;
        await a.PurgeAsync("/second");
        await a.PurgeAsync("/third");
        await connection.GetDatabase().StreamTrimAsync(RedisPurgeLog.StreamOf("test"), 1, useApproximateMaxLength: false);

        using var again = new CancellationTokenSource();
        var more = slow.FollowAsync(() => Task.CompletedTask, again.Token);
        await Deadline.Until(() => slow.Position == a.Bus.Tail.Position);
        await again.CancelAsync();
        await more;
        Assert.True(epochs.TrustedFrom > position, "what began before the trimmed entries is still trusted");
        Assert.True(epochs.TrustedFrom < slow.Position, "what began after the trimmed entries isn't trusted");
        await writer.DisposeAsync();
    }

    [Fact]
    public async Task Another_programs_data_under_the_same_name_is_no_reason_to_crash()
    {
        var a = await NodeAsync("a");
        await using var connection = await _redis.ConnectAsync();
        await connection.GetDatabase().StreamAddAsync(RedisPurgeLog.StreamOf("test"), "colour", "blue");

        await Deadline.Until(() => a.Epochs.TrustedFrom > 0);
        await a.PurgeAsync("/page");
        Assert.Equal(PurgeVerdict.Gone, a.Judge("/page", 0));

        await FlushAsync();
        await connection.GetDatabase().StringSetAsync(RedisPurgeLog.StreamOf("test"), "no stream");
        var refused = await Assert.ThrowsAsync<PurgeLogUnavailableException>(() => a.PurgeAsync("/other"));
        Assert.Contains("WRONGTYPE", refused.Message, StringComparison.Ordinal);
        await connection.GetDatabase().KeyDeleteAsync(RedisPurgeLog.StreamOf("test"));
        await Deadline.Until(() => TryPurgeAsync(a, "/other"));
    }

    [Fact]
    public async Task A_repeated_call_with_its_key_is_answered_as_the_first_one_on_whichever_node()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        var first = await a.PurgeAsync("/page", "once");

        var second = await b.PurgeAsync("/page", "once");

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.AcceptedAt, second.AcceptedAt);
        Assert.True(second.IsRepeat);
        await Assert.ThrowsAsync<PurgeConflictException>(() => b.PurgeAsync("/another", "once"));
        Assert.Equal(PurgeVerdict.Valid, b.Judge("/another", 0));
    }

    [Fact]
    public async Task Another_caller_has_keys_of_its_own()
    {
        var a = await NodeAsync("a");
        await a.PurgeAsync("/page", "once");

        var other = await a.Bus.AcceptAsync(new PurgeRequest { Tags = ["t"] }, "another", "once", TestContext.Current.CancellationToken);

        Assert.False(other.IsRepeat);
    }

    /// <summary>
    /// A node's own moments run ahead of the log: by what traffic makes outdated, or because Redis' clock was set back.
    /// </summary>
    [Fact]
    public async Task A_purge_concerns_what_is_stored_also_where_a_nodes_moments_are_ahead_of_the_log()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        await Deadline.Until(() => a.Bus.IsCaughtUp && b.Bus.IsCaughtUp);
        a.Epochs.AdvanceTo(PurgeMoment.Of(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds(), 5));
        var began = a.Epochs.Now;

        await b.PurgeAsync("/of-the-other");
        await Deadline.Until(() => a.Judge("/of-the-other", began) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Valid, a.Judge("/of-the-other", a.Epochs.Now));

        await a.PurgeAsync("/own");
        Assert.Equal(PurgeVerdict.Gone, a.Judge("/own", began));
        await Deadline.Until(() => b.Judge("/own", began) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Valid, a.Judge("/own", a.Epochs.Now));
    }

    [Fact]
    public async Task Who_has_a_purge_can_be_asked()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        await Deadline.Until(() => b.Bus.IsCaughtUp);
        var receipt = await a.PurgeAsync("/page");

        var status = await a.Bus.WaitForAllAsync(receipt.Id, Deadline.Patience, TestContext.Current.CancellationToken);

        Assert.True(status.IsEverywhere);
        Assert.Contains(status.Nodes, static node => node.Name == "a" && node.Acknowledged);
        await Deadline.Until(async () => (await a.Bus.FindAsync(receipt.Id, TestContext.Current.CancellationToken))!.Nodes.Any(static node => node.Name == "b" && node.Acknowledged));
        Assert.Equal(["http://example.org/page"], status.Request.Urls);
        Assert.Null(await a.Bus.FindAsync("here-1-1", TestContext.Current.CancellationToken));
        Assert.Null(await a.Bus.FindAsync("nonsense", TestContext.Current.CancellationToken));
    }

    private static async Task<bool> TryPurgeAsync(PopNode node, string path)
    {
        try
        {
            await node.PurgeAsync(path);
            return true;
        }
        catch (PurgeLogUnavailableException)
        {
            return false;
        }
    }

    private async Task FlushAsync()
    {
        await using var connection = await _redis.ConnectAsync();
        await connection.GetServers()[0].FlushAllDatabasesAsync();
    }

    private async Task<PopNode> NodeAsync(string name)
    {
        var node = await PopNode.StartAsync(new PurgeOptions { Pop = "here", Node = name }, _redis);
        _nodes.Add(node);
        return node;
    }
}

using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using CdnEdge.Control.Tests.Scene;
using CdnEdge.Storage;
using StackExchange.Redis;

namespace CdnEdge.Control.Tests.Purging;

/// <summary>What traffic makes outdated at one node of a PoP.</summary>
public sealed class TrafficPurgesTests : IAsyncLifetime
{
    private readonly List<PopNode> _nodes = [];
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task It_goes_on_the_other_nodes_and_what_was_fetched_anew_where_it_happened_stays()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        await a.PurgeAsync("/something");
        await Deadline.Until(() => a.Bus.Tail.Position > 0 && b.Bus.Tail.Position == a.Bus.Tail.Position);
        var before = b.Epochs.Now;

        var anew = Outdate(a, "/page");

        await Deadline.Until(() => b.Judge("/page", before) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Valid, b.Judge("/other", before));
        Assert.Equal(PurgeVerdict.Valid, b.Judge("/page", b.Epochs.Now));
        await Deadline.Until(() => a.Bus.Tail.Position == b.Bus.Tail.Position);
        Assert.Equal(PurgeVerdict.Valid, a.Judge("/page", anew));
        Assert.Equal(PurgeVerdict.Gone, a.Judge("/page", before));
    }

    [Fact]
    public async Task A_node_that_starts_later_knows_of_it_too()
    {
        var a = await NodeAsync("a");
        Outdate(a, "/page");
        await Deadline.Until(() => a.Bus.Tail.Position > 0);

        var late = await NodeAsync("b");

        await Deadline.Until(() => late.Judge("/page", 0) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Valid, late.Judge("/other", 0));
    }

    [Fact]
    public async Task A_burst_makes_few_entries_and_reaches_everybody()
    {
        const int Pages = 3000;
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));

        Parallel.For(0, Pages, i => Outdate(a, $"/{i}"));

        await Deadline.Until(() => Enumerable.Range(0, Pages).All(i => b.Judge($"/{i}", 0) == PurgeVerdict.Gone));
        Assert.InRange(await _redis.Database.StreamLengthAsync(RedisPurgeLog.TrafficOf("test")), 1, Pages / 10);
        Assert.Equal(0, b.Epochs.TrustedFrom);
    }

    [Fact]
    public async Task However_much_of_it_comes_no_purge_is_trimmed_for_it()
    {
        var a = await NodeAsync("a");
        var first = await a.PurgeAsync("/purged");
        await using var connection = await _redis.ConnectAsync();
        await using (var log = new RedisPurgeLog(() => connection, "test", 1000, TimeSpan.FromDays(1)))
        {
            var entry = PurgeEntry.OfTraffic([UInt128.MaxValue], "here", "", DateTimeOffset.UnixEpoch);
            foreach (var some in Enumerable.Range(0, RedisPurgeLog.MaxTrafficEntries + 500).Chunk(500))
                await Task.WhenAll(some.Select(_ => log.AppendTrafficAsync(entry, 0, TestContext.Current.CancellationToken)));
        }

        Assert.InRange(await _redis.Database.StreamLengthAsync(RedisPurgeLog.TrafficOf("test")), RedisPurgeLog.MaxTrafficEntries, RedisPurgeLog.MaxTrafficEntries + 200);
        Assert.NotNull(await a.Bus.FindAsync(first.Id, TestContext.Current.CancellationToken));
        await Deadline.Until(async () => a.Bus.Tail.Position >= await LastOfTrafficAsync());
        Assert.Equal(0, a.Epochs.TrustedFrom); // it has read all of it in time

        var late = await NodeAsync("b");
        await Deadline.Until(() => late.Bus.IsCaughtUp);
        Assert.Equal(PurgeVerdict.Gone, late.Judge("/purged", 0));
        Assert.Equal(PurgeVerdict.Stale, late.Judge("/other", 0)); // what was trimmed of it may have been that
        Assert.Equal(PurgeVerdict.Valid, late.Judge("/other", late.Epochs.Now));
    }

    [Fact]
    public async Task When_its_part_of_the_log_is_lost_nothing_older_is_trusted_and_that_is_said_once()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        Outdate(a, "/page");
        await Deadline.Until(() => b.Judge("/page", 0) == PurgeVerdict.Gone);
        var before = b.Epochs.Now;

        await _redis.Database.KeyDeleteAsync(RedisPurgeLog.TrafficOf("test"));

        await Deadline.Until(() => a.Judge("/other", before) == PurgeVerdict.Stale && b.Judge("/other", before) == PurgeVerdict.Stale);
        var gaps = await _redis.Database.StreamLengthAsync(RedisPurgeLog.StreamOf("test"));
        Outdate(a, "/later");
        await Deadline.Until(() => b.Judge("/later", 0) == PurgeVerdict.Gone);
        Assert.InRange(gaps, 1, 2); // each of the two may have noticed
        await Deadline.Until(() => b.Judge("/other", b.Epochs.Now) == PurgeVerdict.Valid);
    }

    [Fact]
    public async Task While_redis_is_away_it_waits_and_what_is_too_much_is_counted()
    {
        var (a, b) = (await NodeAsync("a"), await NodeAsync("b"));
        await Deadline.Until(() => a.Bus.IsCaughtUp && b.Bus.IsCaughtUp);
        var dropped = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "cdnedge.purge.traffic_dropped" && ReferenceEquals(instrument.Meter.Scope, a.Meters))
                all.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref dropped, count));
        listener.Start();
        await _redis.StopAsync();

        Outdate(a, "/page");
        for (var i = 0; i < TrafficPurges.MaxWaiting + TrafficPurges.MaxScopes + 1; i++)
            Outdate(a, $"/{i}");

        Assert.True(dropped > 0);
        await _redis.StartAgainAsync();
        await Deadline.Until(() => b.Judge("/page", 0) == PurgeVerdict.Gone);
    }

    [Fact]
    public async Task Positions_of_both_kinds_are_in_one_order_whoever_appends()
    {
        await using var connection = await _redis.ConnectAsync();
        await using var one = new RedisPurgeLog(() => connection, "test", 1_000_000, TimeSpan.FromDays(1));
        await using var other = new RedisPurgeLog(() => connection, "test", 1_000_000, TimeSpan.FromDays(1));
        var purge = new PurgeEntry { Origin = "here", Request = new PurgeRequest { Tags = ["t"] } };
        var traffic = PurgeEntry.OfTraffic([UInt128.MaxValue], "here", "", DateTimeOffset.UnixEpoch);

        // Far in the future: a clock that was set back since.
        var future = PurgeMoment.Of(DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeMilliseconds(), 1_000_000);
        await one.AppendAsync([purge], future, TestContext.Current.CancellationToken);
        var reader = ReadInOrderAsync(one, 4001);
        await Task.WhenAll(Enumerable.Range(0, 4000).Select(async i =>
        {
            if (i % 2 == 0)
                await (i % 4 == 0 ? one : other).AppendAsync([purge], 0, TestContext.Current.CancellationToken);
            else
                await (i % 4 == 1 ? one : other).AppendTrafficAsync(traffic, 0, TestContext.Current.CancellationToken);
        }));

        var ids = (await reader).ConvertAll(static record => record.Id);
        Assert.Equal(ids.Distinct().Order(), ids);
        Assert.True(ids[0] > future);
        Assert.All(ids, static id => Assert.Equal(0, id % RedisPurgeLog.Step));
    }

    // As a node reads: on from the last position, while others append.
    private static async Task<List<PurgeRecord>> ReadInOrderAsync(RedisPurgeLog log, int count)
    {
        var read = new List<PurgeRecord>();
        await Deadline.Until(async () =>
        {
            read.AddRange(await log.ReadAsync(read is [.., var last] ? last.Id : 0, 50, TestContext.Current.CancellationToken));
            return read.Count >= count;
        });
        Assert.Equal(count, read.Count);
        foreach (var kind in read.GroupBy(static record => record.IsTraffic))
            Assert.Equal(kind.Select(static record => record.Id).SkipLast(1).Prepend(0), kind.Select(static record => record.Previous));
        return read;
    }

    // As the cache does for an unsafe request; the moment at which a fetch after it begins.
    private static long Outdate(PopNode node, string path)
    {
        var scope = PurgeScope.OfUrl(CacheKey.Of(new CachePolicy(), new Uri("http://example.org" + path)).Bytes);
        var moment = node.Epochs.RaiseNow(scope, PurgeMode.Hard);
        node.Epochs.Announce(scope);
        return moment;
    }

    private async Task<long> LastOfTrafficAsync()
    {
        var last = await _redis.Database.StreamRangeAsync(RedisPurgeLog.TrafficOf("test"), "-", "+", 1, Order.Descending);
        return PurgeMoment.TryParse((string?)last[0].Id, out var moment) ? moment : 0;
    }

    private async Task<PopNode> NodeAsync(string name)
    {
        var node = await PopNode.StartAsync(new PurgeOptions { Pop = "here", Node = name }, _redis);
        _nodes.Add(node);
        return node;
    }
}

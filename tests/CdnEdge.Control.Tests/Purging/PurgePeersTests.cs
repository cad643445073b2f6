using CdnEdge.Caching;
using CdnEdge.Control.Tests.Scene;
using CdnEdge.Storage;

namespace CdnEdge.Control.Tests.Purging;

/// <summary>PoPs with a Redis each, and HTTP between them.</summary>
public sealed class PurgePeersTests : IAsyncLifetime
{
    private const int Burst = 10_000;

    private readonly List<PopNode> _nodes = [];
    private readonly List<RedisServer> _servers = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdnedge-purge-");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_PoP_cut_off_during_a_burst_has_all_of_it_when_it_can_be_reached_again()
    {
        var (lhr, fra) = (await RedisAsync(), await RedisAsync());
        var (lhrPort, fraPort) = (RedisServer.FreePort(), RedisServer.FreePort());
        var a = await NodeAsync("lhr", "a", lhr, ("fra", fraPort));
        var b = await NodeAsync("lhr", "b", lhr, ("fra", fraPort));
        var c = await NodeAsync("fra", "c", fra, ("lhr", lhrPort));
        await a.ListenAsync(lhrPort);
        await c.ListenAsync(fraPort);
        var before = await a.PurgeAsync("/before");
        Assert.True((await a.Bus.WaitForAllAsync(before.Id, Deadline.Patience, TestContext.Current.CancellationToken)).IsEverywhere);
        await Deadline.Until(() => c.Judge("/before", 0) == PurgeVerdict.Gone);

        await c.CloseAsync();
        var receipts = await Task.WhenAll(Enumerable.Range(0, Burst).Select(i => (i % 2 == 0 ? a : b).PurgeAsync($"/{i}")));
        await c.PurgeAsync("/back");
        await Deadline.Until(async () => (await a.Bus.FindAsync(receipts[^1].Id, TestContext.Current.CancellationToken))!.Pops is [{ Reachable: false, LastError: not null }]);
        Assert.Equal(PurgeVerdict.Valid, c.Judge("/0", 0));
        await Deadline.Until(async () => (await UnacknowledgedAsync(a, b)).Any(static count => count >= Burst));

        await c.ListenAsync(fraPort);

        await Deadline.Until(() => Enumerable.Range(0, Burst).All(i => c.Judge($"/{i}", 0) == PurgeVerdict.Gone));
        Assert.Equal(PurgeVerdict.Valid, c.Judge("/none", 0));
        foreach (var node in (PopNode[])[a, b])
        {
            Assert.All(Enumerable.Range(0, Burst), i => Assert.Equal(PurgeVerdict.Gone, node.Judge($"/{i}", 0)));
            await Deadline.Until(() => node.Judge("/back", 0) == PurgeVerdict.Gone);
        }

        await Deadline.Until(async () => (await a.Bus.FindAsync(receipts[^1].Id, TestContext.Current.CancellationToken))!.IsEverywhere);
        Assert.All(await UnacknowledgedAsync(a, b), static count => Assert.Equal(0, count));
    }

    [Fact]
    public async Task Nodes_with_a_file_each_tell_each_other_alike_and_go_on_after_a_restart()
    {
        var (lhrPort, fraPort) = (RedisServer.FreePort(), RedisServer.FreePort());
        var a = await NodeAsync("lhr", "a", null, ("fra", fraPort));
        await a.PurgeAsync("/first");
        await a.DisposeAsync();
        _nodes.Remove(a);
        a = await NodeAsync("lhr", "a", null, ("fra", fraPort));
        await a.PurgeAsync("/second");

        var c = await NodeAsync("fra", "c", null, ("lhr", lhrPort));
        await c.ListenAsync(fraPort);

        await Deadline.Until(() => c.Judge("/first", 0) == PurgeVerdict.Gone && c.Judge("/second", 0) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Gone, a.Judge("/first", 0));
        Assert.Equal(PurgeVerdict.Valid, c.Judge("/none", 0));
    }

    [Fact]
    public async Task What_traffic_makes_outdated_stays_in_its_PoP_and_holds_nothing_up()
    {
        var redis = await RedisAsync();
        var port = RedisServer.FreePort();
        var c = await NodeAsync("fra", "c", null);
        await c.ListenAsync(port);
        var a = await NodeAsync("lhr", "a", redis, ("fra", port));
        var b = await NodeAsync("lhr", "b", redis);
        var scope = PurgeScope.OfUrl(CacheKey.Of(new CachePolicy(), new Uri("http://example.org/posted")).Bytes);
        a.Epochs.RaiseNow(scope, PurgeMode.Hard);
        a.Epochs.Announce(scope);
        await Deadline.Until(() => b.Judge("/posted", 0) == PurgeVerdict.Gone);

        var receipt = await a.PurgeAsync("/purged");

        await Deadline.Until(() => c.Judge("/purged", 0) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Valid, c.Judge("/posted", 0));
        Assert.True((await a.Bus.WaitForAllAsync(receipt.Id, Deadline.Patience, TestContext.Current.CancellationToken)).IsEverywhere);
    }

    [Fact]
    public async Task What_was_trimmed_before_it_was_sent_makes_the_peer_trust_nothing_older()
    {
        var redis = await RedisAsync();
        var port = RedisServer.FreePort();
        var c = await NodeAsync("fra", "c", null);
        await c.ListenAsync(port);
        var unsent = await NodeAsync("lhr", "z", redis);
        await unsent.PurgeAsync("/lost");
        await unsent.PurgeAsync("/kept");
        await using (var connection = await redis.ConnectAsync())
            await connection.GetDatabase().StreamTrimAsync(RedisPurgeLog.StreamOf("test"), 1, useApproximateMaxLength: false);

        await NodeAsync("lhr", "a", redis, ("fra", port));

        await Deadline.Until(() => c.Judge("/kept", 0) == PurgeVerdict.Gone);
        Assert.Equal(PurgeVerdict.Stale, c.Judge("/lost", 0));
        Assert.Equal(PurgeVerdict.Valid, c.Judge("/lost", c.Epochs.Now));
    }

    [Fact]
    public async Task A_batch_that_comes_again_is_taken_once_even_after_a_restart()
    {
        var c = await NodeAsync("fra", "c", null);
        var batch = new ReplicationBatch { From = "lhr", Log = "x", Entries = [Entry("1000-0", "tag a"), Entry("1000-1", "täg")] };

        Assert.Equal(2, (await c.ReceiveAsync(batch)).Appended);
        Assert.Equal(0, (await c.ReceiveAsync(batch)).Appended);

        await c.DisposeAsync();
        _nodes.Remove(c);
        c = await NodeAsync("fra", "c", null);
        await Deadline.Until(() => c.Bus.IsCaughtUp);
        Assert.Equal(0, (await c.ReceiveAsync(batch)).Appended);
        Assert.Equal(1, (await c.ReceiveAsync(batch with { Log = "another", Entries = [Entry("999-0", "tag a")] })).Appended);
        Assert.Equal(PurgeVerdict.Gone, c.Judge("/page", 0, SurrogateTags.Of(["täg"], [])));
    }

    [Fact]
    public async Task A_PoP_with_this_ones_name_is_refused()
    {
        var c = await NodeAsync("fra", "c", null);

        var refused = await Assert.ThrowsAsync<ReplicationRefusedException>(() => c.ReceiveAsync(new ReplicationBatch { From = "fra" }));

        Assert.Contains("CdnEdge:Purge:Pop", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("null", 400)]
    [InlineData("""{ "from": "lhr", "entries": [ { "id": "x", "entry": { "origin": "lhr" } } ] }""", 400)]
    [InlineData("""{ "from": "lhr", "purgeMoons": true }""", 400)]
    [InlineData("""{ "from": "lhr", "entries": [ null ] }""", 400)]
    [InlineData("""{ "from": "lhr", "entries": [ { "id": "1-0", "entry": { "origin": "lhr", "request": { "tags": [ null ] } } } ] }""", 400)]
    [InlineData("""{ "from": "lhr", "entries": [ { "id": "1-0", "entry": { "origin": "lhr", "request": { "tags": null } } } ] }""", 400)]
    [InlineData("""{ "from": "lhr", "log": "x", "entries": [ { "id": "1-0", "entry": { "origin": "lhr", "request": { "tags": [ "a" ] } } } ] }""", 200)]
    [InlineData("""{ "from": "lhr" }""", 200)]
    public async Task The_endpoint_says_what_is_wrong(string body, int status)
    {
        var port = RedisServer.FreePort();
        var c = await NodeAsync("fra", "c", null);
        await c.ListenAsync(port);
        using var http = new HttpClient();
        using var content = new StringContent(body);

        using var response = await http.PostAsync(new Uri($"http://127.0.0.1:{port}/purges/replicate"), content, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200 ? "application/json" : "application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    // By what people are shown, on each node; and by the gauge, which one of them has.
    private static async Task<List<long>> UnacknowledgedAsync(params PopNode[] nodes)
    {
        var counts = new List<long>();
        using var listener = new System.Diagnostics.Metrics.MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "cdnedge.purge.peer.unacknowledged" && nodes.Any(node => ReferenceEquals(instrument.Meter.Scope, node.Meters)))
                all.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => counts.Add(count));
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.NotEmpty(counts);
        foreach (var node in nodes)
            counts.Add(Assert.Single((await node.StateAsync()).Peers).Unacknowledged!.Value);
        return counts;
    }

    private static ReplicatedPurge Entry(string id, string tag) =>
        new(id, new PurgeEntry { Origin = "lhr", Request = new PurgeRequest { Tags = [tag] } });

    private async Task<RedisServer> RedisAsync()
    {
        var server = await RedisServer.StartAsync(RedisServer.Durable);
        _servers.Add(server);
        return server;
    }

    private async Task<PopNode> NodeAsync(string pop, string name, RedisServer? redis, params (string Name, int Port)[] peers)
    {
        var options = new PurgeOptions
        {
            Pop = pop,
            Node = name,
            LogFile = Path.Combine(_folder.FullName, pop + name, "purges.log"),
            Peers = [.. peers.Select(static peer => new PeerOptions { Name = peer.Name, Url = $"http://127.0.0.1:{peer.Port}", Token = "t" })],
        };
        Assert.Empty(options.Errors("CdnEdge:Purge", redis is not null));
        var node = await PopNode.StartAsync(options, redis);
        _nodes.Add(node);
        return node;
    }
}

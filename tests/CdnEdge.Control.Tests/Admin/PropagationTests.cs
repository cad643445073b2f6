using System.Net;
using System.Text.Json;

namespace CdnEdge.Control.Tests.Admin;

/// <summary>The admin API of a node that follows a log of purges.</summary>
public sealed class PropagationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdnedge-propagation-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_another_PoP_sends_is_in_effect_when_it_is_answered()
    {
        await using var node = await StartAsync();
        var stored = node.Store("http://example.org/a", "x");

        var answer = await ReplicateAsync(node, Batch(1, "x"));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(("fra", 1), ((string)answer.Json["pop"]!, (int)answer.Json["appended"]!));
        Assert.False(node.Has(stored));
    }

    [Fact]
    public async Task It_takes_a_token_with_the_scope_purge()
    {
        var (reader, purger) = (AdminToken.New(), AdminToken.New());
        await using var node = await StartAsync(new AdminOptions
        {
            Tokens =
            {
                ["reader"] = new AdminTokenOptions { Hash = AdminToken.HashOf(reader), Scopes = [AdminScope.Read] },
                ["lhr"] = new AdminTokenOptions { Hash = AdminToken.HashOf(purger), Scopes = [AdminScope.Purge] },
            },
        });
        var stored = node.Store("http://example.org/a", "x");

        (await ReplicateAsync(node, Batch(1, "x"))).Problem(HttpStatusCode.Unauthorized);
        (await ReplicateAsync(node, Batch(1, "x"), reader)).Problem(HttpStatusCode.Forbidden);
        Assert.True(node.Has(stored));
        Assert.Equal(HttpStatusCode.OK, (await ReplicateAsync(node, Batch(1, "x"), purger)).Status);
        Assert.False(node.Has(stored));
    }

    [Fact]
    public async Task Neither_the_ordinary_rate_nor_the_ordinary_size_bounds_it()
    {
        await using var node = await StartAsync(new AdminOptions { RequestsPerSecond = 1 });
        var longTag = new string('x', AdminServer.MaxBodyBytes / 2);

        for (var i = 0; i < 30; i++)
            Assert.Equal(HttpStatusCode.OK, (await ReplicateAsync(node, Batch(i + 1, "a"))).Status);
        Assert.Equal(3, (int)(await ReplicateAsync(node, Batch(100, longTag + 1, longTag + 2, longTag + 3))).Json["appended"]!);
        Assert.Equal(HttpStatusCode.Accepted, (await node.Purge("""{ "tags": ["a"] }""")).Status);
    }

    [Fact]
    public async Task A_node_without_a_log_says_what_it_lacks()
    {
        await using var node = await new Node().Start();

        var answer = await ReplicateAsync(node, Batch(1, "x"));

        answer.Problem(HttpStatusCode.ServiceUnavailable);
        Assert.Contains("CdnEdge:Purge:LogFile", (string)answer.Json["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stats_show_how_the_log_is_followed()
    {
        await using var node = await StartAsync();
        await node.Purge("""{ "tags": ["a"] }""");

        var purge = (await node.Get("/stats")).Json["purge"]!;

        Assert.Equal(("fra", "c", "file"), ((string)purge["pop"]!, (string)purge["node"]!, (string)purge["log"]!));
        Assert.True((bool)purge["caughtUp"]! && (bool)purge["available"]!);
        Assert.Matches("^[0-9]+-[0-9]+$", (string)purge["position"]!);
        Assert.Equal("lhr", (string)purge["peers"]![0]!["name"]!);
        Assert.Equal(1, (int)purge["peers"]![0]!["unacknowledged"]!);
    }

    [Fact]
    public async Task Until_it_has_read_the_log_a_node_is_not_ready_but_not_for_ever()
    {
        await using var node = new Node();
        node.WithLog(new AwayLog(), new FilePurgeLedger(Path.Combine(_folder.FullName, "peers")), new PurgeOptions { Pop = "fra", Node = "c" });
        await node.Start();

        var starting = await node.Get("/health/ready");
        starting.Problem(HttpStatusCode.ServiceUnavailable);
        Assert.Equal("reading the log of purges", (string)starting.Json["detail"]!);

        await node.Propagation!.StartAsync(Node.Stop);
        (await node.Get("/health/ready")).Problem(HttpStatusCode.ServiceUnavailable);
        node.Time.Advance(PurgePropagation.PatienceForLog);
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/health/ready")).Status);
        (await node.Purge("""{ "tags": ["a"] }""")).Problem(HttpStatusCode.ServiceUnavailable);
        Assert.Equal(HttpStatusCode.OK, (await node.Purge("""{ "tags": ["a"] }""", "?dryRun=true")).Status);
    }

    private static Task<Answer> ReplicateAsync(Node node, ReplicationBatch batch, string? token = null) =>
        node.Send(HttpMethod.Post, "/purges/replicate", JsonSerializer.Serialize(batch, PurgeJson.Default.ReplicationBatch), request =>
        {
            if (token is not null)
                request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        });

    private static ReplicationBatch Batch(int first, params string[] tags) => new()
    {
        From = "lhr",
        Log = "log",
        Entries = [.. tags.Select((tag, i) => new ReplicatedPurge($"{first + i}-0", new PurgeEntry { Origin = "lhr", Request = new PurgeRequest { Tags = [tag] } }))],
    };

    private async Task<Node> StartAsync(AdminOptions? options = null)
    {
        var node = new Node();
        var file = Path.Combine(_folder.FullName, "purges.log");
        var purge = new PurgeOptions
        {
            Pop = "fra",
            Node = "c",
            LogFile = file,
            Peers = [new PeerOptions { Name = "lhr", Url = $"http://127.0.0.1:{RedisServer.FreePort()}" }],
        };
        node.WithLog(new FilePurgeLog(file, purge.MaxLogBytes, node.Time), new FilePurgeLedger(file + ".peers"), purge);
        await node.Propagation!.StartAsync(Node.Stop);
        await Deadline.Until(() => node.Propagation.Bus.IsCaughtUp);
        return await node.Start(options);
    }

    private sealed class AwayLog : IPurgeLog
    {
        public Task News { get; } = new TaskCompletionSource().Task;

        public TimeSpan Poll { get; } = TimeSpan.FromMilliseconds(5);

        public Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation) => throw new PurgeLogUnavailableException("away");

        public Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation) => throw new PurgeLogUnavailableException("away");

        public Task<IReadOnlyList<PurgeRecord>> ReadPurgesAsync(long after, int max, CancellationToken cancellation) => throw new PurgeLogUnavailableException("away");

        public Task<PurgeLogEnd> LastAsync(CancellationToken cancellation) => throw new PurgeLogUnavailableException("away");

        public ValueTask DisposeAsync() => default;
    }
}

using System.Net;
using System.Text.Json.Nodes;

namespace CdnEdge.Control.Tests.Admin;

/// <summary>POST /purge and GET /purges/{id}.</summary>
public class PurgeTests
{
    [Theory]
    [InlineData("""{ "urls": ["https://example.org/a?b=c"] }""", "hit", "")]
    [InlineData("""{ "urls": ["https://EXAMPLE.org:443/a?b=c"] }""", "hit", "")]
    [InlineData("""{ "urls": ["https://example.org/a"] }""", "", "hit")]
    [InlineData("""{ "tags": ["one"] }""", "hit", "")]
    [InlineData("""{ "tags": ["One"] }""", "", "")]
    [InlineData("""{ "prefixes": ["http://example.org/"] }""", "hit", "hit")]
    [InlineData("""{ "prefixes": ["http://example.org/a/"] }""", "hit", "hit")]
    [InlineData("""{ "prefixes": ["http://example.org/b"] }""", "", "")]
    [InlineData("""{ "sites": ["example.org"] }""", "hit", "hit")]
    [InlineData("""{ "sites": ["www.example.org"] }""", "", "")]
    [InlineData("""{ "everything": true }""", "hit", "hit")]
    public async Task What_is_named_is_gone_when_it_answers(string body, string first, string second)
    {
        await using var node = await new Node().Start();
        var one = node.Store("http://example.org/a?b=c", "one two");
        var two = node.Store("http://example.org/a");

        var answer = await node.Purge(body);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(first, node.Has(one) ? "" : "hit");
        Assert.Equal(second, node.Has(two) ? "" : "hit");
    }

    [Fact]
    public async Task A_soft_purge_makes_stale()
    {
        await using var node = await new Node().Start();
        var stored = node.Store("http://example.org/a");

        await node.Purge("""{ "urls": ["http://example.org/a"], "soft": true }""");

        Assert.True(node.Has(stored));
        Assert.Equal(TimeSpan.Zero, stored.Head.Freshness.Remaining(node.Time.GetUtcNow()));
    }

    [Theory]
    [InlineData("\\u00e9", "\u00e9")]
    [InlineData("\\u00e9", "\u00c3\u00a9")]
    [InlineData("a,b/c=\\\"d\\\"", "a,b/c=\"d\"")]
    public async Task Tags_with_odd_octets_are_found(string written, string octets)
    {
        await using var node = await new Node().Start();
        var stored = node.Store("http://example.org/a", octets);

        Assert.Equal(HttpStatusCode.OK, (await node.Purge($$"""{ "tags": ["{{written}}"] }""")).Status);

        Assert.False(node.Has(stored));
    }

    [Fact]
    public async Task Every_policy_has_its_key_of_the_url()
    {
        await using var node = new Node();
        var bare = new Caching.CachePolicy { Key = new Caching.KeyPolicy { Query = Caching.QueryKeyMode.None } };
        node.PolicyList.Add(new NamedPolicy("bare", bare));
        await node.Start();
        var stored = node.Store("http://example.org/a", null, bare);

        await node.Purge("""{ "urls": ["http://example.org/a?utm=1"] }""");

        Assert.False(node.Has(stored));
    }

    [Fact]
    public async Task The_answer_says_where_to_ask_who_has_it()
    {
        await using var node = await new Node().Start();

        var answer = await node.Purge("""{ "tags": ["a"] }""", "?wait=all&timeout=5");

        Assert.Equal($"/purges/{answer.Json["id"]}", answer.Location);
        Assert.True((bool)answer.Json["everywhere"]!);
        var found = await node.Get(answer.Location!);
        Assert.Equal(HttpStatusCode.OK, found.Status);
        Assert.Equal((string)answer.Json["id"]!, (string)found.Json["id"]!);
        Assert.Equal("a", (string)found.Json["request"]!["tags"]![0]!);
        (await node.Get("/purges/local-0-0")).Problem(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task While_others_take_it_up_the_answer_is_202()
    {
        await using var node = new Node();
        node.Bus = new SlowBus(node.Bus);
        await node.Start();

        var answer = await node.Purge("""{ "tags": ["a"] }""");

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        Assert.False((bool)answer.Json["everywhere"]!);
        Assert.Equal("ams", (string)answer.Json["pops"]![0]!["name"]!);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_hit_and_hits_nothing()
    {
        await using var node = await new Node().Start();
        var stored = node.Store("http://example.org/a", "x");
        node.Store("http://example.org/b", "x");
        node.Store("http://example.org/c", "y");

        var answer = await node.Purge("""{ "tags": ["x"] }""", "?dryRun=true");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(2, (int)answer.Json["objects"]!);
        Assert.True((long)answer.Json["bytes"]! > 0);
        Assert.True(node.Has(stored));
        await node.Purge("""{ "urls": ["http://example.org/a"] }""");
        Assert.Equal(1, (int)(await node.Purge("""{ "tags": ["x"] }""", "?dryRun=true")).Json["objects"]!);
    }

    [Fact]
    public async Task A_key_makes_a_retry_harmless_and_another_purge_under_it_a_mistake()
    {
        await using var node = await new Node().Start();
        var first = await node.Purge("""{ "urls": ["http://example.org/a"] }""", change: WithKey);
        var later = node.Store("http://example.org/a");

        var again = await node.Purge("""{ "urls": ["http://example.org/a"] }""", change: WithKey);

        Assert.Equal((string)first.Json["id"]!, (string)again.Json["id"]!);
        Assert.True((bool)again.Json["repeat"]!);
        Assert.True(node.Has(later));
        (await node.Purge("""{ "tags": ["a"] }""", change: WithKey)).Problem(HttpStatusCode.UnprocessableEntity);

        static void WithKey(HttpRequestMessage request) => request.Headers.Add("Idempotency-Key", "k1");
    }

    [Fact]
    public async Task A_log_that_cannot_be_written_is_a_503_that_says_it_was_not_accepted()
    {
        await using var node = new Node();
        node.Bus = new BrokenBus();
        await node.Start();

        var answer = await node.Purge("""{ "tags": ["a"] }""");

        answer.Problem(HttpStatusCode.ServiceUnavailable);
        Assert.Equal("The purge wasn't accepted; try it again. no Redis", (string)answer.Json["detail"]!);
        Assert.Equal("1", answer.Fields["Retry-After"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?wait=all")]
    public async Task What_was_accepted_is_said_so_though_nobody_can_tell_who_has_it(string query)
    {
        await using var node = new Node();
        node.Bus = new ForgetfulBus(node.Bus);
        await node.Start();

        var answer = await node.Purge("""{ "tags": ["a"] }""", query);

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        Assert.StartsWith("local-", (string)answer.Json["id"]!, StringComparison.Ordinal);
        Assert.False((bool)answer.Json["everywhere"]!);
    }

    [Theory]
    [InlineData("""{ "urls": ["http://example.org/ok", "/relative"] }""", "/urls/1: not an absolute")]
    [InlineData("""{ "urls": ["ftp://example.org/"] }""", "/urls/0: not an absolute")]
    [InlineData("""{ "urls": ["http://elsewhere.example/"] }""", "/urls/0: no site of the host elsewhere.example")]
    [InlineData("""{ "urls": ["http:///a"] }""", "/urls/0: its host is none")]
    [InlineData("""{ "urls": ["http://u:p@example.org/a"] }""", "/urls/0: its host is none")]
    [InlineData("""{ "urls": ["http://example.org/a\u0000"] }""", "/urls/0: has a blank or control")]
    [InlineData("""{ "urls": ["http://example.org/a b"] }""", "/urls/0: has a blank or control")]
    [InlineData("""{ "urls": ["http://example.org/a#b"] }""", "/urls/0: has a fragment")]
    [InlineData("""{ "urls": ["http://example.org/a/%2e%2E/b"] }""", "/urls/0: has . or ..")]
    [InlineData("""{ "urls": ["http://example.org\\a"] }""", "/urls/0: has a backslash")]
    [InlineData("""{ "urls": [""] }""", "/urls/0: empty")]
    [InlineData("""{ "urls": [null] }""", "/urls/0: null")]
    [InlineData("""{ "prefixes": ["http://example.org/a?b"] }""", "/prefixes/0: has a query")]
    [InlineData("""{ "sites": ["http://example.org"] }""", "/sites/0: not a host")]
    [InlineData("""{ "sites": ["nowhere.example"] }""", "/sites/0: no site")]
    [InlineData("""{ "tags": ["ok", ""] }""", "/tags/1: an empty tag")]
    [InlineData("""{ "tags": ["a\nb"] }""", "/tags/0: has a control character")]
    [InlineData("""{ "tags": [" a"] }""", "/tags/0: has a blank")]
    [InlineData("""{ }""", ": nothing to purge")]
    [InlineData("""{ "everything": false }""", ": nothing to purge")]
    [InlineData("""{ "everything": true, "tags": ["a"] }""", "/everything: everything takes all")]
    [InlineData("""{ "tag": ["a"] }""", "/tag: unknown member; there are: urls, tags")]
    [InlineData("""{ "tags": "a" }""", "/tags: a value of another kind")]
    [InlineData("""{ "tags": [1] }""", "/tags/0: a value of another kind")]
    [InlineData("""{ "tags": ["a"], "tags": ["b"] }""", "/tags: ")]
    [InlineData("""{ "tags": ["a" """, "/tags/1: ")]
    [InlineData("""[]""", ": a value of another kind")]
    public async Task A_body_with_a_mistake_names_it_and_changes_nothing(string body, string expected)
    {
        await using var node = await new Node().Start();
        var stored = node.Store("http://example.org/ok", "ok a");

        var errors = (await node.Purge(body)).Problem(HttpStatusCode.BadRequest);

        Assert.StartsWith(expected, Assert.Single(errors), StringComparison.Ordinal);
        Assert.True(node.Has(stored));
    }

    [Fact]
    public async Task All_mistakes_are_named_at_once()
    {
        await using var node = await new Node().Start();

        var errors = (await node.Purge("""{ "urls": ["x", "http://example.org/"], "tags": ["", "t"], "sites": ["/"] }""")).Problem(HttpStatusCode.BadRequest);

        Assert.Equal(["/urls/0", "/tags/0", "/sites/0"], errors.Select(static error => error[..error.IndexOf(':')]));
    }

    [Fact]
    public async Task A_thousand_items_are_accepted_and_one_more_is_not()
    {
        await using var node = await new Node().Start();

        Assert.Equal(HttpStatusCode.OK, (await node.Purge(Tags(1000))).Status);
        Assert.StartsWith(": 1001 items", Assert.Single((await node.Purge(Tags(1001))).Problem(HttpStatusCode.BadRequest)), StringComparison.Ordinal);

        static string Tags(int count) => new JsonObject { ["tags"] = new JsonArray([.. Enumerable.Range(0, count).Select(static i => (JsonNode)$"t{i}")]) }.ToJsonString();
    }

    [Fact]
    public async Task An_oversized_body_is_a_413()
    {
        await using var node = await new Node().Start();

        (await node.Purge($$"""{ "tags": ["{{new string('x', AdminServer.MaxBodyBytes)}}"] }""")).Problem(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_body_that_is_not_called_json_is_a_415()
    {
        await using var node = await new Node().Start();

        (await node.Send(HttpMethod.Post, "/purge", change: static request => request.Content = new StringContent("""{ "everything": true }""")))
            .Problem(HttpStatusCode.UnsupportedMediaType);
        (await node.Send(HttpMethod.Post, "/purge")).Problem(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("?dryrun=perhaps", "dryRun")]
    [InlineData("?wait=some", "wait")]
    [InlineData("?timeout=0", "timeout")]
    [InlineData("?dry-run=true", "dry-run")]
    public async Task Parameters_that_are_wrong_or_unknown_are_refused(string query, string named)
    {
        await using var node = await new Node().Start();
        var stored = node.Store("http://example.org/a");

        var answer = await node.Purge("""{ "everything": true }""", query);

        answer.Problem(HttpStatusCode.BadRequest);
        Assert.StartsWith(named + ": ", (string)answer.Json["detail"]!, StringComparison.Ordinal);
        Assert.True(node.Has(stored));
    }

    private sealed class SlowBus(IPurgeBus inner) : IPurgeBus
    {
        public Task<PurgeReceipt> AcceptAsync(PurgeRequest request, string by, string? idempotencyKey, CancellationToken cancellation) =>
            inner.AcceptAsync(request, by, idempotencyKey, cancellation);

        public async Task<PurgeStatus?> FindAsync(string id, CancellationToken cancellation) =>
            await inner.FindAsync(id, cancellation) is { } status ? status with { Pops = [new PurgeAcknowledgement("ams", false, false, "timeout")] } : null;

        public async Task<PurgeStatus> WaitForAllAsync(string id, TimeSpan deadline, CancellationToken cancellation) => (await FindAsync(id, cancellation))!;

        public PurgeEstimate Estimate(PurgeRequest request) => inner.Estimate(request);
    }

    // Redis went away just after.
    private sealed class ForgetfulBus(IPurgeBus inner) : IPurgeBus
    {
        public Task<PurgeReceipt> AcceptAsync(PurgeRequest request, string by, string? idempotencyKey, CancellationToken cancellation) =>
            inner.AcceptAsync(request, by, idempotencyKey, cancellation);

        public Task<PurgeStatus?> FindAsync(string id, CancellationToken cancellation) => throw new PurgeLogUnavailableException("no Redis");

        public Task<PurgeStatus> WaitForAllAsync(string id, TimeSpan deadline, CancellationToken cancellation) => throw new PurgeLogUnavailableException("no Redis");

        public PurgeEstimate Estimate(PurgeRequest request) => inner.Estimate(request);
    }

    private sealed class BrokenBus : IPurgeBus
    {
        public Task<PurgeReceipt> AcceptAsync(PurgeRequest request, string by, string? idempotencyKey, CancellationToken cancellation) =>
            throw new PurgeLogUnavailableException("no Redis");

        public Task<PurgeStatus?> FindAsync(string id, CancellationToken cancellation) => Task.FromResult<PurgeStatus?>(null);

        public Task<PurgeStatus> WaitForAllAsync(string id, TimeSpan deadline, CancellationToken cancellation) => throw new NotSupportedException();

        public PurgeEstimate Estimate(PurgeRequest request) => new(0, 0);
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace CdnEdge.Control.Tests.Admin;

/// <summary>Who may call, how often, and that it's written down.</summary>
public class AccessTests
{
    private static readonly string Reader = AdminToken.New();
    private static readonly string Purger = AdminToken.New();

    private static AdminOptions Options() => new()
    {
        Tokens =
        {
            ["reader"] = new AdminTokenOptions { Hash = AdminToken.HashOf(Reader), Scopes = [AdminScope.Read] },
            ["cms"] = new AdminTokenOptions { Hash = AdminToken.HashOf(Purger), Scopes = [AdminScope.Purge] },
        },
    };

    [Fact]
    public async Task A_call_takes_a_token_that_is_known_and_has_the_scope()
    {
        await using var node = await new Node().Start(Options());

        Assert.Equal(HttpStatusCode.OK, (await node.Get("/stats", With(Reader))).Status);
        Assert.Equal(HttpStatusCode.OK, (await node.Purge("""{ "everything": true }""", change: With(Purger))).Status);
        var forbidden = await node.Get("/stats", With(Purger));
        forbidden.Problem(HttpStatusCode.Forbidden);
        Assert.Contains("lacks the scope read", (string)forbidden.Json["detail"]!, StringComparison.Ordinal);
        (await node.Purge("""{ "everything": true }""", change: With(Reader))).Problem(HttpStatusCode.Forbidden);
        (await node.Send(HttpMethod.Post, "/drain", change: With(Purger))).Problem(HttpStatusCode.Forbidden);
        Assert.False(node.Drain.IsDraining);
    }

    [Fact]
    public async Task Without_a_token_or_with_a_wrong_one_nothing_is_done()
    {
        await using var node = await new Node().Start(Options());
        var stored = node.Store("http://example.org/a");

        foreach (var change in new Action<HttpRequestMessage>[] { static _ => { }, With(AdminToken.New()), With(Reader + "x"), With("short"), Basic })
        {
            var answer = await node.Purge("""{ "everything": true }""", change: change);
            answer.Problem(HttpStatusCode.Unauthorized);
            Assert.StartsWith("Bearer", answer.Fields["WWW-Authenticate"], StringComparison.Ordinal);
        }

        Assert.True(node.Has(stored));

        static void Basic(HttpRequestMessage request) => request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Purger);
    }

    [Fact]
    public async Task A_token_that_the_configuration_no_longer_has_is_refused()
    {
        await using var node = await new Node().Start(Options());
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/stats", With(Reader))).Status);

        var without = Options();
        without.Tokens.Remove("reader");
        node.Admin.Apply(without);

        (await node.Get("/stats", With(Reader))).Problem(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Without_tokens_a_page_of_another_site_in_a_browser_here_may_do_nothing(string field, string value)
    {
        await using var node = await new Node().Start();
        Assert.Equal(HttpStatusCode.OK, (await node.Send(HttpMethod.Post, "/undrain")).Status);

        (await node.Send(HttpMethod.Post, "/drain", change: request => request.Headers.TryAddWithoutValidation(field, value))).Problem(HttpStatusCode.Unauthorized);

        Assert.False(node.Drain.IsDraining);
    }

    [Fact]
    public async Task Health_takes_no_token()
    {
        await using var node = await new Node().Start(Options());

        Assert.Equal(HttpStatusCode.OK, (await node.Get("/health/live")).Status);
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/health/ready")).Status);
    }

    [Fact]
    public async Task Too_many_calls_are_a_429_but_health_is_always_told()
    {
        await using var node = await new Node().Start(new AdminOptions { RequestsPerSecond = 1 });

        var answers = new List<Answer>();
        for (var i = 0; i < 60 && answers.TrueForAll(static answer => answer.Status == HttpStatusCode.OK); i++)
            answers.Add(await node.Get("/stats"));

        answers[^1].Problem(HttpStatusCode.TooManyRequests);
        Assert.True(answers.Count > 10);
        Assert.NotEmpty(answers[^1].Fields["Retry-After"]);
        Assert.Equal(HttpStatusCode.OK, (await node.Get("/health/live")).Status);
    }

    [Fact]
    public async Task Each_change_is_a_line_of_the_audit_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using (var node = new Node())
            {
                var options = Options();
                options.Tokens["ops"] = new AdminTokenOptions { Hash = AdminToken.HashOf(AdminToken.New() is var ops ? ops : ""), Scopes = [AdminScope.Operate] };
                options.AuditFile = file;
                await node.Start(options);
                await node.Purge("""{ "tags": ["a"] }""", change: With(Purger));
                await node.Purge("""{ "tags": [""] }""", change: With(Purger));
                await node.Send(HttpMethod.Post, "/drain", change: With(ops));
                await node.Get("/stats", With(Reader));
            }

            var lines = (await File.ReadAllLinesAsync(file, Node.Stop)).Select(static line => JsonNode.Parse(line)!).ToList();
            Assert.Equal(["cms purge accepted", "cms purge refused: Nothing was purged: an item is wrong.", "ops drain done"], lines.Select(static line => $"{line["who"]} {line["what"]} {line["outcome"]}"));
            Assert.Equal("127.0.0.1", (string)lines[0]["from"]!);
            Assert.StartsWith("local-", (string)lines[0]["id"]!, StringComparison.Ordinal);
            Assert.Equal("a", (string)lines[0]["request"]!["tags"]![0]!);
            Assert.NotNull(lines[0]["at"]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Action<HttpRequestMessage> With(string token) => request => request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
}

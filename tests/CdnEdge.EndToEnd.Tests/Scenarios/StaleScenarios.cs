using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>After freshness: revalidation, stale-while-revalidate, stale-if-error, grace.</summary>
public sealed class StaleScenarios(Edge edge) : IClassFixture<Edge>
{
    [Fact]
    public async Task Revalidation_keeps_the_body_and_takes_the_new_headers()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: no-cache", "ETag: \"1\"", "X-News: old"], "hello"),
            origin => origin.Respond(304, ["Cache-Control: no-cache", "ETag: \"1\"", "X-News: new"]));
        await edge.Get(page);

        var second = await edge.Get(page);

        Assert.Equal((200, "hello", "new"), (second.Status, second.Text, second.Headers["X-News"]));
        Assert.Equal("\"1\"", page.Requests[1].Headers["If-None-Match"]);
    }

    [Fact]
    public async Task Stale_while_revalidate_serves_at_once_and_asks_once()
    {
        var answer = new Signal("the new answer");
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-while-revalidate=600"], "old"),
            async origin =>
            {
                await answer.Opened();
                await origin.Fresh("new");
            });
        await edge.Get(page);

        // When it's stale, everybody gets it all the same, and one revalidation is under way,
        await Deadline.Until(async () =>
        {
            Assert.Equal("old", (await edge.Get(page)).Text);
            return page.Requests.Count > 1;
        });
        var meanwhile = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => edge.Get(page)));
        Assert.All(meanwhile, response => Assert.Equal("old", response.Text));
        Assert.Equal(2, page.Requests.Count);

        // and when that is done, everybody gets the new one.
        answer.Open();
        await Deadline.Until(async () => (await edge.Get(page)).Text == "new");
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task Stale_if_error_serves_the_old_for_a_503()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-if-error=600"], "old"),
            origin => origin.Respond(503, [], "down"));
        await edge.Get(page);

        await Deadline.Until(async () =>
        {
            var response = await edge.Get(page);
            Assert.Equal((200, "old"), (response.Status, response.Text));
            return page.Requests.Count > 1;
        });
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("GET", "Authorization: Basic YW5u")]
    public async Task Stale_if_error_serves_the_old_for_every_503_that_comes(string method, params string[] fields)
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: public, max-age=1, stale-if-error=600", "ETag: \"1\""], "old"),
            origin => origin.Respond(503, [], "down"));
        await edge.Get(page);

        await Deadline.Until(async () =>
        {
            var response = await edge.Ask(method, page.Path, fields);
            Assert.Equal((200, method == "HEAD" ? "" : "old", BodyEnd.Whole), (response.Status, response.Text, response.End));
            Assert.False(page.Requests.Count > 1 && !response.IsHit && response.Forwarded != "stale", response.CacheStatus);
            return page.Requests.Count > 3;
        });
    }

    [Fact]
    public async Task Stale_if_error_serves_the_old_to_those_who_waited_too()
    {
        var answer = new Signal("the 503");
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-if-error=600"], "old"),
            async origin =>
            {
                await answer.Opened();
                await origin.Respond(503, [], "down");
            });
        await edge.Get(page);

        var clients = new List<Task<Response>>();
        await Deadline.Until(() =>
        {
            clients.Add(edge.Get(page));
            return page.Requests.Count > 1;
        }, "a request for what is stale");
        clients.AddRange(Enumerable.Range(0, 10).Select(_ => edge.Get(page)));
        answer.Open();

        Assert.All(await Task.WhenAll(clients), response => Assert.Equal((200, "old"), (response.Status, response.Text)));
    }

    [Fact]
    public async Task What_the_origin_took_away_is_not_served_stale_any_longer()
    {
        // RFC 9111 §4.3.3: a full response says that the stored one is unsuitable, whether it can be stored itself or not.
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-while-revalidate=600", "ETag: \"1\""], "old"),
            origin => origin.Respond(404, [], "gone"));
        await edge.Get(page);

        await Deadline.Until(async () => (await edge.Get(page)) is { Status: 404, Text: "gone" });
    }

    [Fact]
    public async Task What_breaks_off_takes_nothing_away()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-if-error=600", "ETag: \"1\""], "old"),
            async origin =>
            {
                // Its client has seen "new" by the time it breaks off, so nothing stale can take its place.
                await origin.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnew");
                await Task.Delay(TimeSpan.FromMilliseconds(500));
                await origin.Close();
            },
            origin => origin.Respond(503, [], "down"));
        await edge.Get(page);
        await Deadline.Until(async () => (await edge.Get(page)).End != BodyEnd.Whole);

        var response = await edge.Get(page);

        Assert.Equal("old", response.Text);
        Assert.Contains("stale-if-error", response.CacheStatus);
    }

    [Fact]
    public async Task A_head_that_says_no_store_takes_the_stored_response_away()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: no-cache", "ETag: \"1\""], "old"),
            origin => origin.Respond(200, ["Cache-Control: no-store, max-age=600", "ETag: \"1\""], "old"),
            origin => origin.Fresh("new"));
        await edge.Get(page);

        await edge.Ask("HEAD", page.Path);

        Assert.Equal("new", (await edge.Get(page)).Text);
    }

    [Fact]
    public async Task A_503_is_passed_on_where_nothing_allows_the_old()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1"], "old"),
            origin => origin.Respond(503, [], "down"));
        await edge.Get(page);

        await Deadline.Until(async () => (await edge.Get(page)) is { Status: 503, Text: "down" });
    }

    [Fact]
    public async Task Must_revalidate_forbids_the_old_when_the_origin_fails()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, must-revalidate", "ETag: \"1\""], "old"),
            origin => origin.Reset());
        await edge.Get(page);

        // RFC 9111 §5.2.2.2: an error, and 504 is the one to choose.
        await Deadline.Until(async () => (await edge.Get(page)) is { Status: 504 });
    }

    [Fact]
    public async Task Max_stale_lets_a_client_have_the_old()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1", "ETag: \"1\""], "old"),
            origin => origin.Fresh("new"));
        await edge.Get(page);

        await Deadline.Until(async () =>
        {
            var response = await edge.Get(page, "Cache-Control: max-stale=600");
            Assert.Equal("old", response.Text);
            return response.CacheStatusParameters.Any(parameter => parameter.StartsWith("ttl=-", StringComparison.Ordinal));
        });
        Assert.Single(page.Requests);
    }
}

/// <summary>The origin goes away altogether.</summary>
public sealed class OriginGoneScenarios
{
    [Fact]
    public async Task The_old_is_served_as_long_as_grace_allows_and_the_origin_is_down()
    {
        await using var edge = new Edge();
        await edge.InitializeAsync();
        var page = edge.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: max-age=1"], "old"));
        var strict = edge.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: max-age=1, must-revalidate"], "strict"));
        await edge.Get(page);
        await edge.Get(strict);

        await edge.Origin.DisposeAsync();

        await Deadline.Until(async () =>
        {
            var response = await edge.Get(page);
            Assert.Equal((200, "old"), (response.Status, response.Text));
            return response.Forwarded == "stale" || !response.IsHit
                || response.CacheStatusParameters.Any(parameter => parameter.StartsWith("ttl=-", StringComparison.Ordinal));
        });
        await Deadline.Until(async () => (await edge.Get(strict)).Status == 504);
        var unknown = await edge.Get("/never-seen");
        Assert.Equal(502, unknown.Status);
        Assert.Contains("error=connection_refused", unknown.Headers["Proxy-Status"] ?? "", StringComparison.Ordinal);
    }
}

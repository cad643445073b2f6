using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Many clients, one URL, nothing stored yet: one fill.</summary>
public sealed class CollapsingScenarios(CollapsingScenarios.PatientEdge edge) : IClassFixture<CollapsingScenarios.PatientEdge>
{
    /// <summary>The marker of an uncacheable answer outlives a test however busy the machine is.</summary>
    public sealed class PatientEdge : Edge
    {
        private protected override string Configuration =>
            """{ "CdnEdge": { "Policies": { "default": { "UncacheableMarkerTtl": "00:10:00" } } } }""";
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Content-Length: 6")]
    public async Task Fifty_clients_make_one_request_and_read_while_it_arrives(string framing)
    {
        var chunked = framing.StartsWith('T');
        var begin = new Signal("the beginning");
        var rest = new Signal("the rest");
        var page = edge.Origin.Serves(async origin =>
        {
            await begin.Opened();
            await origin.Raw($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{framing}\r\n\r\n");
            await origin.Raw(chunked ? "3\r\none\r\n" : "one");
            await rest.Opened();
            await origin.Raw(chunked ? "3\r\ntwo\r\n0\r\n\r\n" : "two");
        });

        // Given fifty clients that ask before the origin has said anything,
        var clients = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => edge.Connect()));
        foreach (var client in clients)
            await client.Ask("GET", page.Path);
        await page.Asked(1);
        begin.Open();

        // when the first half has come, all of them have it,
        var responses = await Task.WhenAll(clients.Select(client => client.ReceiveHead()));
        foreach (var response in responses)
            await response.ReadUntil("one");
        Assert.All(responses, response => Assert.Equal(BodyEnd.Open, response.End));

        // and when it ends, all have the whole, of one request.
        rest.Open();
        foreach (var response in responses)
            await response.ReadToEnd();
        Assert.All(responses, response => Assert.Equal((200, "onetwo", BodyEnd.Whole), (response.Status, response.Text, response.End)));
        Assert.Single(page.Requests);
        Assert.Equal(49, responses.Count(response => response.CacheStatusParameters.Contains("collapsed")));

        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_nobody_back()
    {
        const int Length = 16 * 1024 * 1024;
        var piece = new string('x', 1024 * 1024);
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Raw($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {Length}\r\n\r\n");
            for (var sent = 0; sent < Length; sent += piece.Length)
                await origin.Raw(piece);
        });

        // Given a client that asked first and takes next to nothing,
        await using var slow = await RawClient.Connect(edge.Address, receiveBuffer: 4096);
        await slow.Ask("GET", page.Path);
        var late = await slow.ReceiveHead();

        // when others come, they get it all, and so does it in its own time.
        var others = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => edge.Get(page)));
        Assert.All(others, other => Assert.Equal((Length, BodyEnd.Whole), (other.Body.Length, other.End)));
        await late.ReadToEnd();
        Assert.Equal((Length, BodyEnd.Whole), (late.Body.Length, late.End));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task The_fill_goes_on_when_the_client_that_began_it_hangs_up()
    {
        var rest = new Signal("the rest");
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: max-age=600");
            await origin.Chunk("one");
            await rest.Opened();
            await origin.Chunk("two");
            await origin.End();
        });

        var first = await edge.Connect();
        await first.Ask("GET", page.Path);
        await (await first.ReceiveHead()).ReadUntil("one");
        await using var second = await edge.Connect();
        await second.Ask("GET", page.Path);
        var response = await second.ReceiveHead();
        await response.ReadUntil("one");

        first.HangUp();
        rest.Open();

        await response.ReadToEnd();
        Assert.Equal(("onetwo", BodyEnd.Whole), (response.Text, response.End));
        Assert.True((await edge.Get(page)).IsHit);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task The_fill_goes_on_and_is_stored_even_if_nobody_is_left()
    {
        var begin = new Signal("the beginning");
        var page = edge.Origin.Serves(async origin =>
        {
            await begin.Opened();
            await origin.Fresh("hello");
        });
        var only = await edge.Connect();
        await only.Ask("GET", page.Path);
        await page.Asked(1);

        only.HangUp();
        begin.Open();

        await Deadline.Until(async () => (await edge.Get(page)).IsHit);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task An_uncacheable_answer_releases_the_waiters_at_once_and_later_ones_never_wait()
    {
        var head = new Signal("the head");
        var rest = new Signal("the rest");
        var another = new Signal("the sixth answer");
        Answer atOnce = origin => origin.Respond(200, ["Cache-Control: private"], "mine");
        var page = edge.Origin.Serves(
            async origin =>
            {
                await head.Opened();
                await origin.Begin(200, "Cache-Control: private");
                await origin.Chunk("not ");
                await rest.Opened();
                await origin.Chunk("yours");
                await origin.End();
            },
            atOnce, atOnce, atOnce, atOnce,
            async origin =>
            {
                await another.Opened();
                await atOnce(origin);
            },
            atOnce);

        // Given five clients for one page,
        await using var first = await edge.Connect();
        await first.Ask("GET", page.Path);
        await page.Asked(1);
        var waiters = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => edge.Connect()));
        foreach (var waiter in waiters)
            await waiter.Ask("GET", page.Path);

        // when its head says that it's for one of them alone, the others are served before its body has come,
        head.Open();
        foreach (var waiter in waiters)
            Assert.Equal("mine", (await waiter.Receive()).Text);
        Assert.Equal(5, page.Requests.Count);
        rest.Open();
        Assert.Equal("not yours", (await first.Receive()).Text);

        // and whoever comes later doesn't wait for anybody.
        await using var sixth = await edge.Connect();
        await sixth.Ask("GET", page.Path);
        await page.Asked(6);
        Assert.Equal("mine", (await edge.Get(page)).Text);
        another.Open();
        Assert.Equal("mine", (await sixth.Receive()).Text);

        foreach (var waiter in waiters)
            await waiter.DisposeAsync();
    }

    [Theory]
    [InlineData("GET", "Authorization: Basic YW5u")]
    [InlineData("POST", "Content-Length: 0")]
    [InlineData("GET", "Incremental: ?1")]
    [InlineData("GET", "Cache-Control: no-store")]
    public async Task A_request_whose_answer_may_not_be_shared_holds_nobody_back(string method, string field)
    {
        var name = field.Split(':')[0];
        var answer = new Signal("the answer to the one");
        var page = edge.Origin.Serves(async origin =>
        {
            if (origin.Method == method && origin.Headers.Has(name))
            {
                await answer.Opened();
                await origin.Fresh("for one");
                return;
            }

            await origin.Fresh("for all");
        });

        await using var one = await edge.Connect();
        await one.Ask(method, page.Path, field);
        await page.Asked(1);
        var all = await edge.Get(page);
        answer.Open();

        Assert.Equal("for all", all.Text);
        Assert.Equal("for one", (await one.Receive(method)).Text);
    }
}

using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What the edge tells the origin and the client, and what it keeps from them.</summary>
public sealed class ForwardingScenarios(Edge edge) : IClassFixture<Edge>
{
    [Fact]
    public async Task Both_sides_see_the_edge_in_via()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "Via: 1.0 inner"));

        var response = await edge.Get(page, "Via: 1.0 outer");

        Assert.Equal("1.0 outer, 1.1 cdnedge", page.Requests[0].Headers["Via"]);
        Assert.Equal("1.0 inner, 1.1 cdnedge", response.Headers["Via"]);
    }

    [Fact]
    public async Task The_host_is_the_clients()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: shop.example");

        Assert.Equal("shop.example", page.Requests[0].Headers["Host"]);
    }

    [Fact]
    public async Task Cdn_loop_grows_by_one_and_breaks_a_circle()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "CDN-Loop: another");
        Assert.Equal("another, cdnedge", page.Requests[0].Headers["CDN-Loop"]);

        var circle = await edge.Get("/circle", "CDN-Loop: another, cdnedge; info=x");
        Assert.Equal(508, circle.Status);
        Assert.DoesNotContain(edge.Origin.Requests, request => request.Target == "/circle");
    }

    [Fact]
    public async Task Nobody_can_pretend_to_be_somebody_else()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        await edge.Get(page, "Host: shop.example", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: x.example", "Forwarded: for=192.0.2.1");

        var seen = page.Requests[0].Headers;
        Assert.Equal(("127.0.0.1", "http", "shop.example"), (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"], seen["X-Forwarded-Host"]));
        Assert.Contains("for=127.0.0.1", seen["Forwarded"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.1", seen["Forwarded"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_for_one_connection_stays_on_it()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(
            200, ["Cache-Control: max-age=600", "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "X-End: 1"], "hello"));

        var response = await edge.Get(
            page, "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: gzip", "X-End: 1");
        var stored = await edge.Get(page);

        var seen = page.Requests[0].Headers;
        Assert.Equal("1", seen["X-End"]);
        Assert.All(["X-Hop", "Keep-Alive", "Proxy-Connection"], name => Assert.False(seen.Has(name), name));
        Assert.DoesNotContain("gzip", seen["TE"] ?? "", StringComparison.Ordinal);
        foreach (var answer in new[] { response, stored })
        {
            Assert.Equal("1", answer.Headers["X-End"]);
            Assert.All(["X-Hop", "Keep-Alive"], name => Assert.False(answer.Headers.Has(name), name));
        }
    }

    [Fact]
    public async Task Early_hints_are_passed_on_and_not_stored()
    {
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Interim(103, "Link: </style.css>; rel=preload; as=style");
            await origin.Fresh("hello");
        });

        var first = await edge.Get(page);
        var second = await edge.Get(page);

        var hint = Assert.Single(first.Interim);
        Assert.Equal((103, "</style.css>; rel=preload; as=style"), (hint.Status, hint.Headers["Link"]));
        Assert.True(second.IsHit, second.CacheStatus);
        Assert.Empty(second.Interim);
        Assert.False(second.Headers.Has("Link"));
    }

    [Fact]
    public async Task Early_hints_come_before_the_answer_does()
    {
        var answer = new Signal("the answer");
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Interim(103, "Link: </style.css>");
            await answer.Opened();
            await origin.Fresh("hello");
        });
        await using var client = await edge.Connect();
        await client.Ask("GET", page.Path);

        var hint = await client.ReceiveInterim();
        answer.Open();

        Assert.Equal(103, hint.Status);
        Assert.Equal("hello", (await client.Receive()).Text);
    }

    [Fact]
    public async Task Trailers_are_passed_on()
    {
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: no-store", "Trailer: X-Sum");
            await origin.Chunk("hello");
            await origin.End("X-Sum: 42");
        });

        var response = await edge.Get(page, "TE: trailers", "Connection: TE");

        Assert.Equal(("hello", "42"), (response.Text, response.Trailers["X-Sum"]));
    }

    [Fact]
    public async Task An_encoded_slash_is_no_slash_and_no_encoded_percent_sign()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Target));
        // Two resources, however alike they look once decoded.
        var targets = new[] { $"/x%2F..{page.Path}", $"/x%252F..{page.Path}" };

        var answers = new List<Response>();
        foreach (var target in targets)
            answers.Add(await edge.Get(target));

        Assert.Equal(targets, edge.Origin.Requests.Select(request => request.Target).Where(target => target.StartsWith("/x", StringComparison.Ordinal)));
        Assert.All(answers, answer => Assert.Equal("uri-miss", answer.Forwarded));
    }

    [Fact]
    public async Task A_client_of_http_1_0_needs_no_host()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        var first = await edge.Send($"GET {page.Path} HTTP/1.0\r\n\r\n");
        var second = await edge.Send($"GET {page.Path} HTTP/1.0\r\n\r\n");

        Assert.Equal((200, "hello"), (first.Status, first.Text));
        Assert.True(second.IsHit, second.CacheStatus);
        Assert.Equal(new Uri(edge.Origin.Url).Authority, Assert.Single(page.Requests).Headers["Host"]);
    }

    [Theory]
    [InlineData("OPTIONS * HTTP/1.1", "", 204)]
    [InlineData("OPTIONS /final HTTP/1.1", "Max-Forwards: 0\r\n", 204)]
    [InlineData("TRACE /final HTTP/1.1", "Max-Forwards: 0\r\n", 405)]
    public async Task What_asks_about_the_edge_itself_goes_no_further(string line, string fields, int status)
    {
        var before = edge.Origin.Requests.Count;

        var response = await edge.Send($"{line}\r\nHost: a.example\r\n{fields}\r\n");

        Assert.Equal(status, response.Status);
        Assert.Equal("cdnedge; detail=final-recipient", response.CacheStatus);
        Assert.Equal(before, edge.Origin.Requests.Count);
    }

    [Fact]
    public async Task A_connection_is_kept_for_the_next_request()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Target));
        await using var client = await edge.Connect();

        foreach (var query in new[] { "?1", "?2", "?1" })
            Assert.Equal(page.Path + query, (await client.Get(page.Path + query)).Text);
    }
}

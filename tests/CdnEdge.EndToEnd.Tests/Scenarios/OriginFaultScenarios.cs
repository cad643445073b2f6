using System.Net;
using System.Net.Sockets;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>An origin that misbehaves: an error that says which, a short plain body, nothing stored.</summary>
public sealed class OriginFaultScenarios(OriginFaultScenarios.ImpatientEdge edge) : IClassFixture<OriginFaultScenarios.ImpatientEdge>
{
    /// <summary>Beside its origin it knows one that nobody listens at, and one that it has little patience with.</summary>
    public sealed class ImpatientEdge : Edge
    {
        // Bound but not listening: connections are refused and nobody else gets the port meanwhile.
        private readonly Socket _refusing = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public ImpatientEdge()
        {
            _refusing.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        }

        private protected override IEnumerable<string> Arguments => [];

        private protected override string Configuration => $$"""
            {
              "ReverseProxy": {
                "Routes": {
                  "refusing": { "ClusterId": "refusing", "Order": 1, "Match": { "Path": "/{**rest}", "Headers": [ { "Name": "X-Route", "Values": [ "refusing" ] } ] } },
                  "impatient": { "ClusterId": "impatient", "Order": 1, "Match": { "Path": "/{**rest}", "Headers": [ { "Name": "X-Route", "Values": [ "impatient" ] } ] } },
                  "all": { "ClusterId": "origin", "Order": 2, "Match": { "Path": "/{**rest}" } }
                },
                "Clusters": {
                  "refusing": { "Destinations": { "a": { "Address": "http://{{_refusing.LocalEndPoint}}" } } },
                  "impatient": { "HttpRequest": { "ActivityTimeout": "00:00:02" }, "Destinations": { "a": { "Address": "ORIGIN" } } },
                  "origin": { "Destinations": { "a": { "Address": "ORIGIN" } } }
                }
              }
            }
            """;
    }

    private static readonly Dictionary<string, Answer> Faults = new()
    {
        ["closes without an answer"] = origin => origin.Close(),
        ["resets"] = origin => origin.Reset(),
        ["closes within the head"] = async origin =>
        {
            await origin.Raw("HTTP/1.1 200 OK\r\nCache-Con");
            await origin.Close();
        },
        ["talks another protocol"] = async origin =>
        {
            await origin.Raw("220 mail.example ESMTP\r\n\r\n");
            await origin.Close();
        },
        ["sends oversized headers"] = async origin =>
        {
            await origin.Raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n");
            var field = $"X-Big: {new string('x', 1000)}\r\n";
            for (var sent = 0; sent < 2_000_000; sent += field.Length)
                await origin.Raw(field);
        },
        ["sends two lengths"] = origin =>
            origin.Raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        ["sends chunks and a length"] = Sends("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ["sends chunks in HTTP/1.0"] = Sends("HTTP/1.0 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ["has a coding before its chunks"] = Sends("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ["compresses in transfer unasked"] = Sends("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: gzip\r\n\r\nhello"),
        ["sends a status that is none"] = Sends("HTTP/1.1 099 Odd\r\nCache-Control: max-age=600\r\nContent-Length: 5\r\n\r\nhello"),
        ["switches protocols unasked"] = Sends("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\nhello"),
    };

    private static Answer Sends(string bytes) => async origin =>
    {
        await origin.Raw(bytes);
        await origin.Close();
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_origin_that_does_not_answer_properly_is_a_502(string fault)
    {
        var faulty = true;
        var page = edge.Origin.Serves(origin => faulty ? Faults[fault](origin) : origin.Fresh("well again"));

        AssertError(502, await edge.Get(page));

        faulty = false;
        Assert.Equal("well again", (await edge.Get(page)).Text);
    }

    [Theory]
    [InlineData("Content-Length: 100", "short")]
    [InlineData("Transfer-Encoding: chunked", "5\r\nshort\r\n")]
    [InlineData("Transfer-Encoding: chunked", "nonsense\r\n")]
    public async Task A_body_that_is_not_what_was_promised_is_a_502_or_breaks_off(string framing, string body)
    {
        var faulty = true;
        var page = edge.Origin.Serves(async origin =>
        {
            if (!faulty)
            {
                await origin.Fresh("well again");
                return;
            }

            await origin.Raw($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{framing}\r\n\r\n{body}");
            await origin.Close();
        });

        var response = await edge.Get(page);
        if (response.Status == 200)
            Assert.Equal(BodyEnd.Broken, response.End);
        else
            AssertError(502, response);

        faulty = false;
        Assert.Equal("well again", (await edge.Get(page)).Text);
    }

    [Fact]
    public async Task An_origin_that_refuses_is_a_502()
    {
        var response = await edge.Get("/", "X-Route: refusing");

        AssertError(502, response, "connection_refused");
    }

    [Theory]
    [InlineData("GET", "200 OK")]
    [InlineData("POST", "2x0 OK")]
    public async Task The_log_says_which_origin_failed_and_how(string method, string status)
    {
        var page = edge.Origin.Serves(Sends($"HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\nshort"));

        await edge.Ask(method, page.Path);

        await Deadline.Until(
            () => edge.Process.Output.Split('\n').Any(line => line.Contains($"Upstream origin/a ({edge.Origin.Url}) failed: http_", StringComparison.Ordinal)
                && line.Contains($"{method} {edge.Address.Authority}{page.Path} ", StringComparison.Ordinal)),
            "the log's line");
        Assert.DoesNotContain("   at ", edge.Process.Output, StringComparison.Ordinal); // no stack: it's no fault of the edge
    }

    [Theory]
    [InlineData("GET", 204, "Content-Length: 5\r\n\r\nhello")]
    [InlineData("POST", 204, "Content-Length: 5\r\n\r\nhello")]
    [InlineData("GET", 205, "Content-Length: 5\r\n\r\nhello")]
    [InlineData("POST", 205, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    public async Task An_answer_that_has_no_content_has_none_whatever_it_says(string method, int status, string rest)
    {
        var page = edge.Origin.Serves(Sends($"HTTP/1.1 {status} Scripted\r\nCache-Control: max-age=600\r\n{rest}"));
        await using var client = await edge.Connect();

        for (var i = 0; i < 2; i++)
        {
            await client.Ask(method, page.Path);
            var response = await client.Receive(method);

            Assert.Equal((status, ""), (response.Status, response.Text));
            Assert.Equal(status == 205 ? "0" : null, response.Headers["Content-Length"]);
            Assert.Equal(i == 1 && method == "GET", response.IsHit);
        }
    }

    [Fact]
    public async Task An_origin_that_hangs_is_a_504()
    {
        var page = edge.Origin.Serves(origin => origin.Hang());

        var response = await edge.Get(page, "X-Route: impatient");

        AssertError(504, response, "http_response_timeout");
    }

    [Fact]
    public async Task Everybody_who_waits_for_a_fill_learns_that_it_failed()
    {
        var fail = new Signal("the failure");
        var page = edge.Origin.Serves(async origin =>
        {
            await fail.Opened();
            await origin.Raw("nonsense\r\n\r\n");
            await origin.Close();
        });
        var clients = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => edge.Connect()));
        foreach (var client in clients)
            await client.Ask("GET", page.Path);
        await page.Asked(1);

        fail.Open();

        foreach (var client in clients)
        {
            AssertError(502, await client.Receive());
            await client.DisposeAsync();
        }
    }

    private static void AssertError(int status, Response response, string error = "")
    {
        Assert.True(response.Status == status, response.ToString());
        // RFC 9209: the member is the edge's name, the error's type one of its registry.
        Assert.Matches($"^cdnedge; ?error={error}", response.Headers["Proxy-Status"] ?? "");
        Assert.Matches("^cdnedge; ?fwd=", response.CacheStatus);
        Assert.StartsWith("text/plain", response.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.InRange(response.Text.Length, 1, 500);
        Assert.DoesNotContain("Exception", response.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", response.Text, StringComparison.Ordinal);
    }
}

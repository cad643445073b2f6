using System.Text.RegularExpressions;
using CdnEdge.EndToEnd.Tests.Harness;
using CdnEdge.Lab.Load;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Requests within requests: whatever two readers could read differently is refused, or written anew so that they can't, for origins of
/// HTTP/1.1 and of HTTP/2 alike.
/// </summary>
public sealed partial class HostileSmugglingScenarios(HostileSmugglingScenarios.TwoOrigins edge) : IClassFixture<HostileSmugglingScenarios.TwoOrigins>
{
    private static int _paths;

    /// <summary>Clients of HTTP/1.1 and HTTP/2, origins of both.</summary>
    public sealed partial class TwoOrigins : Edge, IAsyncLifetime
    {
        internal Http2Origin Http2 { get; private set; } = null!;

        internal Uri TlsAddress { get; private set; } = null!;

        private protected override IEnumerable<string> Arguments => ["--listen", "https://127.0.0.1:0"];

        private protected override string Configuration => """
            {
              "ReverseProxy": {
                "Routes": {
                  "h1": { "ClusterId": "h1", "Match": { "Hosts": [ "h1.example", "a.example" ], "Path": "/{**rest}" } },
                  "h2": { "ClusterId": "h2", "Match": { "Hosts": [ "h2.example" ], "Path": "/{**rest}" } }
                },
                "Clusters": {
                  "h1": { "Destinations": { "a": { "Address": "ORIGIN" } } },
                  "h2": { "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" }, "Destinations": { "a": { "Address": "SECOND" } } }
                }
              }
            }
            """.Replace("SECOND", Http2.Url, StringComparison.Ordinal);

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            Http2 = await Http2Origin.Start();
            await InitializeAsync();
            await Deadline.Until(() => Listening().IsMatch(Process.Output), "both addresses");
            TlsAddress = new Uri(Listening().Match(Process.Output).Groups[1].Value);
        }

        async ValueTask IAsyncDisposable.DisposeAsync()
        {
            await DisposeAsync();
            await Http2.DisposeAsync();
        }

        /// <summary>Whether either origin got something whole, or any part of a head, that has this in its target or fields.</summary>
        internal bool HasSeen(string what) =>
            Origin.Requests.Any(request => request.ToString().Contains(what, StringComparison.OrdinalIgnoreCase))
            || Http2.Requests.Any(request => $"{request.Method} {request.Target}\n{request.Fields}".Contains(what, StringComparison.OrdinalIgnoreCase));

        [GeneratedRegex(@"Now listening on: (https://[\d.]+:\d+)")]
        private static partial Regex Listening();
    }

    private static readonly Dictionary<string, string> Refused = new()
    {
        // CL.TE and TE.CL: Kettle, "HTTP Desync Attacks", 2019.
        ["CL.TE"] = "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}",
        ["TE.CL"] = "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["CL.TE with zero"] = "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",

        // TE.TE: one of two readers doesn't take it for chunked.
        ["TE.TE xchunked"] = "Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE space before the colon"] = "Content-Length: 4\r\nTransfer-Encoding : chunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE twice"] = "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n{smuggled}",
        ["TE.TE identity first"] = "Transfer-Encoding: identity, chunked\r\nContent-Length: 4\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE identity last"] = "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}",
        ["TE.TE vertical tab"] = "Content-Length: 4\r\nTransfer-Encoding:\u000bchunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE in a folded line"] = "Content-Length: 4\r\nX: X\r\n Transfer-Encoding: chunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE behind a bare LF"] = "Content-Length: 4\r\nX: X\nTransfer-Encoding: chunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE behind a bare CR"] = "Content-Length: 4\r\nX: X\rTransfer-Encoding: chunked\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE quoted"] = "Content-Length: 4\r\nTransfer-Encoding: \"chunked\"\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE with a parameter"] = "Content-Length: 4\r\nTransfer-Encoding: chunked;x=y\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE with a NUL"] = "Content-Length: 4\r\nTransfer-Encoding: chunked\0\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",
        ["TE.TE beyond ASCII"] = "Content-Length: 4\r\nTransfer-Encoding: chunked\u00ff\r\n\r\n{hex}\r\n{smuggled}\r\n0\r\n\r\n",

        // 0.CL, and lengths that one reader doesn't see: Kettle, "HTTP/1.1 must die", 2025.
        ["0.CL space before the colon"] = "Content-Length : {length}\r\n\r\n{smuggled}",
        ["0.CL folded"] = "Content-Length:\r\n {length}\r\n\r\n{smuggled}",
        ["0.CL behind a folded line"] = "X: y\r\n Content-Length: {length}\r\n\r\n{smuggled}",
        ["0.CL with a NUL"] = "Content-Length: {length}\0\r\n\r\n{smuggled}",
        ["0.CL signed"] = "Content-Length: +{length}\r\n\r\n{smuggled}",
        ["0.CL with a comma"] = "Content-Length: 0, {length}\r\n\r\n{smuggled}",
        ["0.CL twice"] = "Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{smuggled}",
        ["0.CL with a fraction"] = "Content-Length: {length}.0\r\n\r\n{smuggled}",
        ["0.CL in a name with a control"] = "Content\u0001-Length: 0\r\nContent-Length: {length}\r\n\r\n{smuggled}",
        ["0.CL at the head's end by LF"] = "Content-Length: {length}\r\n\n{smuggled}",

        // Chunks that end elsewhere for another reader (CVE-2025-55315 among them).
        ["an LF in a chunk's extension"] = "Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n{hex}\r\n0\r\n\r\n{smuggled}\r\n0\r\n\r\n",
        ["a CR in a chunk's extension"] = "Transfer-Encoding: chunked\r\n\r\n2;\rxx\r\n0\r\n\r\n{smuggled}",
        ["an LF behind a chunk's size"] = "Transfer-Encoding: chunked\r\n\r\n2\nxx\r\n0\r\n\r\n{smuggled}",
        ["a chunk's size with a prefix"] = "Transfer-Encoding: chunked\r\n\r\n0x2\r\nxx\r\n0\r\n\r\n{smuggled}",
        ["a chunk's size with a space in it"] = "Transfer-Encoding: chunked\r\n\r\n1 2\r\nxx\r\n0\r\n\r\n{smuggled}",
        ["a chunk's size that overflows"] = "Transfer-Encoding: chunked\r\n\r\n100000000000000002\r\nxx\r\n0\r\n\r\n{smuggled}",
    };

    public static TheoryData<string, string> AttacksOnBoth => [.. Refused.Keys.SelectMany(_ => new[] { "h1.example", "h2.example" }, (name, host) => (name, host))];

    [Theory]
    [MemberData(nameof(AttacksOnBoth))]
    public async Task A_request_with_two_readings_is_refused(string name, string host)
    {
        var path = NewPath();
        await using var client = await edge.Connect();

        await client.SendAsMuchAsIsTaken($"POST /upload HTTP/1.1\r\nHost: {host}\r\n{Filled(Refused[name], path, host)}");
        var response = await client.ReceiveOrNull();

        Assert.True(response is null or { Status: >= 400 and < 500 or 501 }, response?.ToString());
        Assert.True(await client.IsClosed(), "The connection was left open.");
        await VisitorIsServed(host);
        Assert.False(edge.HasSeen(path));
    }

    [Theory]
    [InlineData("GET", "h1.example", "Content-Length: {length}\r\n\r\n{smuggled}")]
    [InlineData("GET", "h2.example", "Content-Length: {length}\r\n\r\n{smuggled}")]
    [InlineData("POST", "h1.example", "Content-Length:\t{length} \r\n\r\n{smuggled}")]
    [InlineData("POST", "h2.example", "Content-Length: 00{length}\r\n\r\n{smuggled}")]
    [InlineData("POST", "h1.example", "Transfer-Encoding: CHUNKED\r\n\r\n{hex};x=y;\"a;b\"\r\n{smuggled}\r\n0;z\r\nContent-Length: 5\r\nX-Trailer: t\r\n\r\n")]
    [InlineData("POST", "h2.example", "Transfer-Encoding: CHUNKED\r\n\r\n{hex};x=y;\"a;b\"\r\n{smuggled}\r\n0;z\r\nContent-Length: 5\r\nX-Trailer: t\r\n\r\n")]
    [InlineData("POST", "h1.example", "Content-Length: {length}\r\nX-Content-Length: 0\r\nContent_Length: 0\r\n\r\n{smuggled}")]
    public async Task What_is_a_body_stays_one_and_is_framed_anew(string method, string host, string rest)
    {
        var path = NewPath();
        var body = Smuggled(path, host);
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            await origin.Respond(200, [], "hello");
        });

        var response = await edge.Send($"{method} {page.Path} HTTP/1.1\r\nHost: {host}\r\n{Filled(rest, path, host)}");

        Assert.Equal((200, "hello"), (response.Status, response.Text));
        await VisitorIsServed(host);
        Assert.False(edge.HasSeen(path));
        if (host == "h1.example")
        {
            var seen = Assert.Single(page.Requests);
            Assert.Equal((body, ""), (System.Text.Encoding.Latin1.GetString(seen.Body), seen.ChunkExtensions));
            Assert.True(seen.Headers.Has("Content-Length") ^ seen.Headers.Has("Transfer-Encoding"), seen.ToString());
            Assert.Empty(seen.Trailers.ToString());
        }
        else
        {
            Assert.Equal(body, Assert.Single(edge.Http2.Requests, request => request.Target == page.Path).Body);
        }
    }

    [Theory]
    [InlineData("Expect: 100-continue")]
    [InlineData("Expect: 100-Continue")]
    [InlineData("Expect: y 100-continue")]
    [InlineData("Expect: 100-continue, 100-continue")]
    [InlineData("Expect: \"100-continue\"")]
    public async Task An_expectation_changes_nothing_of_where_a_body_ends(string expect)
    {
        foreach (var host in new[] { "h1.example", "h2.example" })
        {
            var path = NewPath();
            var page = edge.Origin.Serves(async origin =>
            {
                await origin.ReadBody();
                await origin.Respond(200, [], "hello");
            });
            await using var client = await edge.Connect();

            await client.SendAsMuchAsIsTaken($"POST {page.Path} HTTP/1.1\r\nHost: {host}\r\n{expect}\r\n{Filled("Content-Length: {length}\r\n\r\n{smuggled}", path, host)}");
            var response = await client.ReceiveOrNull();

            Assert.True(response is null or { Status: 200 or 400 or 417 }, response?.ToString());
            await VisitorIsServed(host);
            Assert.False(edge.HasSeen(path));
        }
    }

    [Fact]
    public async Task An_origin_that_takes_a_body_for_a_request_spoils_nobody_elses_answer()
    {
        // CL.0: it answers twice to a POST whose body looks like a request.
        var post = edge.Origin.Serves(origin => origin.Raw(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 4\r\n\r\nevil"));
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        for (var i = 0; i < 5; i++)
        {
            var response = await edge.Send($"POST {post.Path} HTTP/1.1\r\nHost: h1.example\r\nContent-Length: 40\r\n\r\n{new string('x', 40)}");
            var visitor = await edge.Get($"{page.Path}?{i}", "Host: h1.example");
            Assert.Equal(("first", "hello"), (response.Text, visitor.Text));
        }
    }

    private const string InHead = "GET /smuggled HTTP/1.1\r\nHost: h1.example\r\n\r\n";

    private static readonly Dictionary<string, Func<string, (string, string)[]>> Malformed = new()
    {
        // H2.TE, H2.CL, and octets that end a line for HTTP/1.1: Kettle, "HTTP/2: The Sequel is Always Worse", 2021.
        ["Transfer-Encoding"] = path => RawHttp2.Request(path, "POST", ("transfer-encoding", "chunked")),
        ["Connection"] = path => RawHttp2.Request(path, "GET", ("connection", "x-smuggled")),
        ["Upgrade"] = path => RawHttp2.Request(path, "GET", ("upgrade", "websocket")),
        ["TE"] = path => RawHttp2.Request(path, "GET", ("te", "chunked")),
        ["CR and LF in a value"] = path => RawHttp2.Request(path, "GET", ("x-a", "b\r\ntransfer-encoding: chunked")),
        ["LF in a value"] = path => RawHttp2.Request(path, "GET", ("x-a", "b\nx-smuggled: y")),
        ["CR in a value"] = path => RawHttp2.Request(path, "GET", ("x-a", "b\rx-smuggled: y")),
        ["NUL in a value"] = path => RawHttp2.Request(path, "GET", ("x-a", "b\0c")),
        ["a control in a value"] = path => RawHttp2.Request(path, "GET", ("x-a", "b\u0001c")),
        ["CR and LF in a cookie"] = path => RawHttp2.Request(path, "GET", ("cookie", "b\r\nx-smuggled: y")),
        ["CR and LF in a name"] = path => RawHttp2.Request(path, "GET", ("x-a: b\r\nx-smuggled", "y")),
        ["LF in a name"] = path => RawHttp2.Request(path, "GET", ("x-a\nx-smuggled", "y")),
        ["a colon in a name"] = path => RawHttp2.Request(path, "GET", ("x-smuggled:a", "y")),
        ["a space in a name"] = path => RawHttp2.Request(path, "GET", ("x-smuggled a", "y")),
        ["a NUL in a name"] = path => RawHttp2.Request(path, "GET", ("x-smuggled\0", "y")),
        ["an upper-case name"] = path => RawHttp2.Request(path, "GET", ("X-Smuggled", "y")),
        ["an empty name"] = path => RawHttp2.Request(path, "GET", ("", "y")),
        ["Transfer-Encoding in disguise"] = path => RawHttp2.Request(path, "POST", ("transfer-encoding ", "chunked")),
        ["CR and LF in the path"] = path => RawHttp2.Request($"{path} HTTP/1.1\r\nx-smuggled: y\r\n\r\n{InHead}"),
        ["a space in the path"] = path => RawHttp2.Request($"{path} HTTP/1.1"),
        ["a fragment in the path"] = path => RawHttp2.Request($"{path}#a"),
        ["an absolute path"] = path => RawHttp2.Request($"http://b.example{path}"),
        ["no path"] = path => [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), ("x-path", path)],
        ["an empty path"] = path => RawHttp2.Request("", "GET", ("x-path", path)),
        ["CR and LF in the method"] = path => RawHttp2.Request(path, $"GET {path} HTTP/1.1\r\nx-smuggled: y\r\n\r\nGET"),
        ["a space in the method"] = path => RawHttp2.Request(path, "GET /smuggled"),
        ["CR and LF in the authority"] = path => [(":method", "GET"), (":scheme", "https"), (":authority", "a.example\r\nx-smuggled: y"), (":path", path)],
        ["a path in the authority"] = path => [(":method", "GET"), (":scheme", "https"), (":authority", "a.example/smuggled"), (":path", path)],
        ["credentials in the authority"] = path => [(":method", "GET"), (":scheme", "https"), (":authority", "u@a.example"), (":path", path)],
        ["a scheme that is a URL"] = path => [(":method", "GET"), (":scheme", "http://b.example/smuggled?"), (":authority", "a.example"), (":path", path)],
        ["CR and LF in the scheme"] = path => [(":method", "GET"), (":scheme", "https\r\nx-smuggled: y"), (":authority", "a.example"), (":path", path)],
        ["another scheme"] = path => [(":method", "GET"), (":scheme", "http"), (":authority", "a.example"), (":path", path)],
        ["two paths"] = path => RawHttp2.Request(path, "GET", (":path", "/smuggled")),
        ["two methods"] = path => [(":method", "GET"), .. RawHttp2.Request(path)],
        ["a pseudo-header field behind others"] = path => [("x-a", "b"), .. RawHttp2.Request(path)],
        ["an unknown pseudo-header field"] = path => [(":smuggled", "y"), .. RawHttp2.Request(path)],
        ["a response's pseudo-header field"] = path => [(":status", "200"), .. RawHttp2.Request(path)],
        ["a length without body"] = path => RawHttp2.Request(path, "POST", ("content-length", "5")),
        ["two lengths"] = path => RawHttp2.Request(path, "POST", ("content-length", "0"), ("content-length", "5")),
        ["a length that is none"] = path => RawHttp2.Request(path, "POST", ("content-length", "0x0")),
        ["a negative length"] = path => RawHttp2.Request(path, "POST", ("content-length", "-1")),
        ["a signed length"] = path => RawHttp2.Request(path, "POST", ("content-length", "+0")),
    };

    public static TheoryData<string, string> MalformedForBoth => [.. Malformed.Keys.SelectMany(_ => new[] { "h1.example", "h2.example" }, (name, host) => (name, host))];

    [Theory]
    [MemberData(nameof(MalformedForBoth))]
    public async Task A_malformed_request_of_HTTP_2_goes_no_further(string name, string host)
    {
        var path = NewPath();
        await using var client = await RawHttp2.Connect(edge.TlsAddress);

        await client.Ask(1, [.. Malformed[name](path).Select(field => (field.Item1, field.Item2.Replace("a.example", host, StringComparison.Ordinal)))]);
        var answer = await client.Answer(1);

        Assert.True(client.IsClosed || answer is { Error: not null } or { Status: >= 400 and < 500 }, answer.ToString());
        await VisitorIsServed(host);
        Assert.False(edge.HasSeen(path), "The request was forwarded.");
        Assert.False(edge.HasSeen("smuggled: ") || edge.HasSeen("/smuggled "), "Something of it was forwarded.");
    }

    [Theory]
    [InlineData("h1.example", 3, 5)]
    [InlineData("h2.example", 3, 5)]
    [InlineData("h1.example", 0, 5)]
    [InlineData("h2.example", 0, 5)]
    [InlineData("h1.example", 7, 5)]
    [InlineData("h2.example", 7, 5)]
    public async Task A_length_that_DATA_frames_belie_makes_no_request(string host, int length, int bytes)
    {
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            await origin.Respond(200, []);
        });
        await using var client = await RawHttp2.Connect(edge.TlsAddress);

        await client.Send(FrameType.Headers, Http2Frame.EndHeaders, 1, Http2Frame.Block(
            [.. RawHttp2.Request(page.Path, "POST", ("content-length", $"{length}")).Select(field => (field.Item1, field.Item2.Replace("a.example", host, StringComparison.Ordinal)))]));
        await client.Send(FrameType.Data, Http2Frame.EndStream, 1, new byte[bytes]);
        var answer = await client.Answer(1);

        Assert.True(client.IsClosed || answer is { Error: not null } or { Status: >= 400 }, answer.ToString());
        await VisitorIsServed(host);

        // A request that says that it has no body may be on its way before one comes: what comes is nobody's then.
        Assert.DoesNotContain(page.Requests, request => request.IsWhole && (length > 0 || request.Body.Length > 0));
        Assert.DoesNotContain(edge.Http2.Requests, request => request.Target == page.Path && (length > 0 || request.Body.Length > 0));
    }

    [Fact]
    public async Task A_Host_beside_the_authority_of_HTTP_2_counts_for_nobody()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, [], "hello"));
        await using var client = await RawHttp2.Connect(edge.TlsAddress);

        await client.Ask(1, RawHttp2.Request(page.Path, "GET", ("host", "b.example")));
        await client.Answer(1);

        Assert.DoesNotContain(page.Requests, request => request.ToString().Contains("b.example", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Trailers_of_HTTP_2_end_here()
    {
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            await origin.Respond(200, [], "hello");
        });
        await using var client = await RawHttp2.Connect(edge.TlsAddress);

        await client.Send(FrameType.Headers, Http2Frame.EndHeaders, 1, Http2Frame.Block(RawHttp2.Request(page.Path, "POST")));
        await client.Send(FrameType.Data, 0, 1, "body"u8.ToArray());
        await client.Send(FrameType.Headers, Http2Frame.EndHeaders | Http2Frame.EndStream, 1, Http2Frame.Block(("content-length", "9"), ("x-trailer", "y")));
        var answer = await client.Answer(1);

        Assert.Equal((200, "hello"), (answer.Status, answer.Text));
        Assert.Equal(("body", ""), (System.Text.Encoding.Latin1.GetString(page.Requests[0].Body), page.Requests[0].Trailers.ToString()));
    }

    private async Task VisitorIsServed(string host)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, [], "hello"));
        Assert.Equal("hello", (await edge.Get(page, $"Host: {host}")).Text);
    }

    private static string NewPath() => $"/hidden-{Interlocked.Increment(ref _paths)}-";

    private static string Smuggled(string path, string host) => $"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n";

    private static string Filled(string template, string path, string host)
    {
        var smuggled = Smuggled(path, host);
        return template
            .Replace("{length}", $"{smuggled.Length}", StringComparison.Ordinal)
            .Replace("{hex}", $"{smuggled.Length:x}", StringComparison.Ordinal)
            .Replace("{smuggled}", smuggled, StringComparison.Ordinal);
    }
}

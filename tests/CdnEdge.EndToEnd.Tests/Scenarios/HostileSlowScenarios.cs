using CdnEdge.EndToEnd.Tests.Harness;
using CdnEdge.Lab.Load;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Clients that send or read as slowly as they can (slowloris, slow POST, slow read) hold little, and not for long. All at once, for each
/// takes as long as the edge's patience.
/// </summary>
public sealed partial class HostileSlowScenarios(HostileSlowScenarios.BothEdge edge, ITestOutputHelper output) : IClassFixture<HostileSlowScenarios.BothEdge>
{
    private const int Connections = 40;
    private const int Large = 32 << 20;
    private const long MaxGrowth = 192 << 20;

    /// <summary>HTTP/1.1 and HTTP/2.</summary>
    public sealed partial class BothEdge : TlsEdge, IAsyncLifetime
    {
        internal Uri PlainAddress { get; private set; } = null!;

        private protected override IEnumerable<string> Arguments => ["--listen", "http://127.0.0.1:0"];

        private protected override string Configuration => """
            {
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "origin", "Match": { "Path": "/{**rest}" } } },
                "Clusters": { "origin": { "HttpRequest": { "ActivityTimeout": "00:00:10" }, "Destinations": { "a": { "Address": "ORIGIN" } } } }
              }
            }
            """;

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            await Deadline.Until(() => Listening().IsMatch(Process.Output), "both addresses");
            PlainAddress = new Uri(Listening().Match(Process.Output).Groups[1].Value);
        }

        [System.Text.RegularExpressions.GeneratedRegex(@"Now listening on: (http://[\d.]+:\d+)")]
        private static partial System.Text.RegularExpressions.Regex Listening();
    }

    [Fact]
    public async Task Slow_clients_are_let_go_and_visitors_served()
    {
        var page = edge.Origin.Serves(static origin => origin.Fresh("hello"));
        var large = edge.Origin.Serves(static origin => origin.Fresh(new string('x', Large)));
        var unstored = edge.Origin.Serves(static async origin =>
        {
            await origin.Raw($"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: {Large}\r\n\r\n");
            for (var sent = 0; sent < Large; sent += 1 << 20)
                await origin.Raw(new string('x', 1 << 20));
        });
        var upload = edge.Origin.Serves(static async origin =>
        {
            await origin.ReadBody();
            await origin.Respond(200, []);
        });
        Assert.Equal(Large, (await edge.Visitor.GetByteArrayAsync(large.Path, TestContext.Current.CancellationToken)).Length);
        await Visit(page);
        var before = edge.Process.WorkingSet;

        Task[] attacks =
        [
            .. Repeated("slowloris", () => Drip(page.Path, "GET {path} HTTP/1.1\r\nHost: a.example\r\nX-Slow: ")),
            .. Repeated("slowloris in the request line", () => Drip(page.Path, "GET /")),
            .. Repeated("slow POST", () => Drip(upload.Path, "POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n")),
            .. Repeated("slow POST in chunks", () => Drip(upload.Path, "POST {path} HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nFFFFF\r\n")),
            .. Repeated("slow POST after a quick start", () => Stall(upload.Path)),
            .. Repeated("slow read", () => ReadNothing(large.Path, before: 0)),
            .. Repeated("slow read after a quick start", () => ReadNothing(large.Path, before: 8 << 20)),
            .. Repeated("slow read of what isn't stored", () => ReadNothing(unstored.Path, before: 0)),
            .. Repeated("HTTP/2 without windows", () => WithoutWindows(large.Path)),
            .. Repeated("HTTP/2 without reading", () => WithoutReading(large.Path)),
            .. Repeated("HTTP/2 with a head that doesn't end", () => StalledHead(page.Path)),
        ];
        var all = Task.WhenAll(attacks);
        var (asked, most) = (0, 0L);
        while (!all.IsCompleted)
        {
            await Visit(page);
            asked++;
            most = Math.Max(most, edge.Process.WorkingSet);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await all;
        output.WriteLine($"{attacks.Length} slow clients; {asked} requests beside them; {(most - before) >> 20} MiB more");
        Assert.InRange(most - before, long.MinValue, MaxGrowth);
    }

    private async Task Visit(Resource page) =>
        Assert.Equal("hello", await edge.Visitor.GetStringAsync(page.Path, TestContext.Current.CancellationToken));

    private static IEnumerable<Task> Repeated(string name, Func<Task> attack) => Enumerable.Range(0, Connections / 10).Select(async _ =>
    {
        try
        {
            await attack();
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{name}: {late.Message}", late);
        }
    });

    /// <summary>A byte now and then, until the edge has enough of it.</summary>
    private async Task Drip(string path, string start)
    {
        await using var client = await RawClient.Connect(edge.PlainAddress);
        await client.Send(start.Replace("{path}", path, StringComparison.Ordinal));
        var closed = client.IsClosedOrAnswered();
        await Deadline.Until(
            async () =>
            {
                await client.SendAsMuchAsIsTaken("x");
                await Task.Delay(500, TestContext.Current.CancellationToken);
                return closed.IsCompleted;
            },
            "the edge to let go of it");
    }

    /// <summary>Two mebibytes at once would pay for hours by Kestrel's rate alone; the cluster's ActivityTimeout ends it.</summary>
    private async Task Stall(string path)
    {
        await using var client = await RawClient.Connect(edge.PlainAddress);
        await client.Send($"POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000000\r\n\r\n");
        await client.Send(new byte[2 << 20]);
        Assert.True((await client.ReceiveOrNull()) is null or { Status: >= 400 });
        Assert.True(await client.IsClosed());
    }

    private async Task ReadNothing(string path, int before)
    {
        await using var client = await RawClient.Connect(edge.PlainAddress, receiveBuffer: 4096);
        await client.Ask("GET", path);
        var response = await client.ReceiveHead();
        await response.ReadAtLeast(before);
        await Deadline.Until(() => Task.FromResult(client.IsReset()), "the edge to let go of it");
    }

    private async Task WithoutWindows(string path)
    {
        await using var client = await RawHttp2.Connect(edge.Address, windows: 0);
        for (var stream = 1; stream < 200; stream += 2)
            await client.Ask(stream, RawHttp2.Request(path));
        await client.Closed();
    }

    private async Task WithoutReading(string path)
    {
        await using var client = await RawHttp2.Connect(edge.Address, windows: int.MaxValue, reads: false);
        await client.Send(FrameType.WindowUpdate, 0, 0, Http2Frame.Number(1 << 30));
        for (var stream = 1; stream < 20; stream += 2)
            await client.Ask(stream, RawHttp2.Request(path));
        await Deadline.Until(client.IsReset, "the edge to let go of it");
    }

    private async Task StalledHead(string path)
    {
        await using var client = await RawHttp2.Connect(edge.Address);
        await client.Ask(1, RawHttp2.Request(path));
        await client.Answer(1);
        await client.Send(FrameType.Headers, Http2Frame.EndStream, 3, Http2Frame.Block(RawHttp2.Request(path)));
        await client.Closed();
    }
}

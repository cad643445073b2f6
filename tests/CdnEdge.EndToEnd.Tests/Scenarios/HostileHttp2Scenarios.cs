using CdnEdge.EndToEnd.Tests.Harness;
using CdnEdge.Lab.Load;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Floods of HTTP/2 frames: the connection is ended, the node stays small, and a visitor beside it notices nothing.
/// </summary>
public sealed class HostileHttp2Scenarios(TlsEdge edge, ITestOutputHelper output) : IClassFixture<TlsEdge>
{
    private const int MaxGrowth = 128 << 20;

    private static readonly Dictionary<string, byte[]> Floods = new()
    {
        ["PING, CVE-2019-9512"] = Http2Frame.Of(FrameType.Ping, 0, 0, new byte[8]),
        ["SETTINGS, CVE-2019-9515"] = Http2Frame.Of(FrameType.Settings, 0, 0, Http2Frame.Settings((4, 65_535))),
        ["empty SETTINGS"] = Http2Frame.Of(FrameType.Settings, 0, 0, []),
        ["windows that grow and shrink"] = [.. Http2Frame.Of(FrameType.Settings, 0, 0, Http2Frame.Settings((4, 1))), .. Http2Frame.Of(FrameType.Settings, 0, 0, Http2Frame.Settings((4, 65_535)))],
        ["PRIORITY, CVE-2019-9513"] = Http2Frame.Of(FrameType.Priority, 0, 1, [0, 0, 0, 3, 1]),
        ["WINDOW_UPDATE, CVE-2019-9517"] = Http2Frame.Of(FrameType.WindowUpdate, 0, 0, Http2Frame.Number(1)),
        ["RST_STREAM, CVE-2019-9514"] = Http2Frame.Of(FrameType.RstStream, 0, 1, Http2Frame.Number(8)),
        ["unknown frames"] = Http2Frame.Of((FrameType)0x77, 0, 1, [0]),
        ["empty DATA, CVE-2019-9518"] = Http2Frame.Of(FrameType.Data, 0, 3, []),
    };

    public static TheoryData<string> FloodNames => [.. Floods.Keys];

    [Theory]
    [MemberData(nameof(FloodNames))]
    public async Task A_flood_of_frames_without_content_ends_the_connection(string name)
    {
        var upload = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            await origin.Respond(200, []);
        });
        var batch = Enumerable.Repeat(Floods[name], 100).SelectMany(static frame => frame).ToArray();
        await using var attacker = await RawHttp2.Connect(edge.Address);
        await attacker.Ask(1, RawHttp2.Request(await Page()));
        await attacker.Answer(1);
        if (name.Contains("DATA", StringComparison.Ordinal))
            await attacker.Send(FrameType.Headers, Http2Frame.EndHeaders, 3, Http2Frame.Block(RawHttp2.Request(upload.Path, "POST")));

        await Beside(name, attacker.Flood(_ => batch, Deadline.Patience));

        await attacker.Closed();
    }

    [Theory]
    [InlineData("empty CONTINUATION, CVE-2024-27316")]
    [InlineData("CONTINUATION, CVE-2024-27316")]
    [InlineData("empty CONTINUATION of trailers")]
    public async Task A_head_that_never_ends_ends_the_connection(string name)
    {
        var fields = name.StartsWith("empty", StringComparison.Ordinal) ? [] : Http2Frame.Block(("x-a", new string('y', 100)));
        var batch = Enumerable.Repeat(Http2Frame.Of(FrameType.Continuation, 0, 3, fields), 100).SelectMany(static frame => frame).ToArray();
        var upload = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            await origin.Respond(200, []);
        });
        await using var attacker = await RawHttp2.Connect(edge.Address);
        await attacker.Ask(1, RawHttp2.Request(await Page()));
        await attacker.Answer(1);
        if (name.EndsWith("trailers", StringComparison.Ordinal))
        {
            await attacker.Send(FrameType.Headers, Http2Frame.EndHeaders, 3, Http2Frame.Block(RawHttp2.Request(upload.Path, "POST")));
            await attacker.Send(FrameType.Headers, Http2Frame.EndStream, 3, Http2Frame.Block(("x-a", "b")));
        }
        else
        {
            await attacker.Send(FrameType.Headers, Http2Frame.EndStream, 3, Http2Frame.Block(RawHttp2.Request(upload.Path)));
        }

        await Beside(name, attacker.Flood(_ => batch, Deadline.Patience));

        await attacker.Closed();
        Assert.DoesNotContain(upload.Requests, static request => request.Method == "GET");
    }

    [Theory]
    [InlineData("rapid reset, CVE-2023-44487")]
    [InlineData("MadeYouReset by a window, CVE-2025-8671")]
    [InlineData("MadeYouReset by a length, CVE-2025-8671")]
    public async Task Requests_that_are_taken_back_again_and_again_end_the_connection(string name)
    {
        var slow = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            await Task.Delay(500, TestContext.Current.CancellationToken);
            await origin.Respond(200, ["Cache-Control: no-store"]);
        });
        await using var attacker = await RawHttp2.Connect(edge.Address);

        // Each as soon as the origin has got it, so that nothing of it is answered, and no more of them at a time than is allowed.
        var flood = Task.Run(
            async () =>
            {
                var sent = 0;
                try
                {
                    for (; !attacker.IsClosed; sent++)
                        await attacker.Raw(TakenBack(name, slow.Path, (2 * sent) + 1));
                }
                catch (IOException)
                {
                    // Ended: what is to be seen.
                }

                return (long)sent;
            },
            TestContext.Current.CancellationToken);
        await Beside(name, flood);

        await attacker.Closed();
        output.WriteLine($"{name}: {slow.Requests.Count} of {await flood} requests reached the origin");
        Assert.InRange(slow.Requests.Count, 0, 2_000);
    }

    [Fact]
    public async Task Requests_taken_back_at_leisure_end_it_too()
    {
        // Slow enough for Kestrel to clean up behind each, so that it never counts too many at a time.
        var slow = edge.Origin.Serves(async origin =>
        {
            await Task.Delay(500, TestContext.Current.CancellationToken);
            await origin.Respond(200, ["Cache-Control: no-store"]);
        });
        await using var attacker = await RawHttp2.Connect(edge.Address);
        var sent = 0;
        try
        {
            for (; sent < 2_000 && !attacker.IsClosed; sent += 10)
            {
                for (var i = 0; i < 10; i++)
                    await attacker.Raw(TakenBack("rapid reset", slow.Path, (2 * (sent + i)) + 1));
                // A PING comes back when what was sent before it has been taken in.
                await attacker.Send(FrameType.Ping, 0, 0, new byte[8]);
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }
        }
        catch (IOException)
        {
            // Ended: what is to be seen.
        }

        await attacker.Closed();
        output.WriteLine($"rapid reset at leisure: {sent} requests, of which {slow.Requests.Count} reached the origin");
        Assert.InRange(sent, 120, 1_000);
    }

    [Fact]
    public async Task A_small_block_that_unfolds_to_a_large_one_ends_the_connection()
    {
        // "HPACK bomb", CVE-2016-6581: an entry of 4,000 bytes in the dynamic table, named ten thousand times by one byte each.
        var page = await Page();
        await using var attacker = await RawHttp2.Connect(edge.Address);
        byte[] entry = [0x40, 1, (byte)'a', 0x7F, 0xA1, 0x1E, .. Enumerable.Repeat((byte)'b', 4_000)];
        await attacker.Send(FrameType.Headers, Http2Frame.EndStream | Http2Frame.EndHeaders, 1, (byte[])[.. Http2Frame.Block(RawHttp2.Request(page)), .. entry]);
        await attacker.Answer(1);

        await Beside("HPACK bomb", attacker.Flood(
            number => Http2Frame.Of(FrameType.Headers, 5, (int)((2 * number) + 3), [.. Http2Frame.Block(RawHttp2.Request(page)), .. Enumerable.Repeat((byte)(0x80 | 62), 10_000)]),
            Deadline.Patience));

        await attacker.Closed();
    }

    [Fact]
    public async Task A_busy_visitor_who_changes_his_mind_now_and_then_is_served()
    {
        const int Requests = 6_000;
        var page = await Page();
        var slow = edge.Origin.Serves(origin => origin.Hang());
        await using var visitor = await RawHttp2.Connect(edge.Address);

        for (var sent = 0; sent < Requests; sent += 50)
        {
            for (var i = 0; i < 50; i++)
                await visitor.Ask((2 * (sent + i)) + 1, RawHttp2.Request(i % 25 == 0 ? $"{slow.Path}?{sent + i}" : page));
            for (var i = 0; i < 50; i++)
            {
                var stream = (2 * (sent + i)) + 1;
                if (i % 25 == 0)
                    await visitor.Send(FrameType.RstStream, 0, stream, Http2Frame.Number(8));
                else
                    Assert.Equal(200, (await visitor.Answer(stream)).Status);
            }
        }

        Assert.False(visitor.IsClosed);
    }

    private static byte[] TakenBack(string name, string path, int stream) => name switch
    {
        var window when window.Contains("window", StringComparison.Ordinal) =>
        [
            .. Http2Frame.Of(FrameType.Headers, Http2Frame.EndHeaders | Http2Frame.EndStream, stream, Http2Frame.Block(RawHttp2.Request($"{path}?{stream}"))),
            .. Http2Frame.Of(FrameType.WindowUpdate, 0, stream, Http2Frame.Number(int.MaxValue)),
        ],
        var length when length.Contains("length", StringComparison.Ordinal) =>
        [
            .. Http2Frame.Of(FrameType.Headers, Http2Frame.EndHeaders, stream, Http2Frame.Block(RawHttp2.Request($"{path}?{stream}", "POST", ("content-length", "1")))),
            .. Http2Frame.Of(FrameType.Data, Http2Frame.EndStream, stream, new byte[2]),
        ],
        _ =>
        [
            .. Http2Frame.Of(FrameType.Headers, Http2Frame.EndHeaders | Http2Frame.EndStream, stream, Http2Frame.Block(RawHttp2.Request($"{path}?{stream}"))),
            .. Http2Frame.Of(FrameType.RstStream, 0, stream, Http2Frame.Number(8)),
        ],
    };

    private async Task<string> Page()
    {
        var page = edge.Origin.Serves(static origin => origin.Fresh("hello"));
        Assert.Equal("hello", await edge.Visitor.GetStringAsync(page.Path, TestContext.Current.CancellationToken));
        return page.Path;
    }

    /// <summary>A visitor asks for what is stored and what isn't for as long as the flood lasts, and is answered each time.</summary>
    private async Task Beside(string name, Task<long> flood)
    {
        var page = await Page();
        var other = edge.Origin.Serves(static origin => origin.Respond(200, ["Cache-Control: no-store"], "hello"));
        var (before, most, asked) = (edge.Process.WorkingSet, 0L, 0);
        do
        {
            Assert.Equal("hello", await edge.Visitor.GetStringAsync(page, TestContext.Current.CancellationToken));
            Assert.Equal("hello", await edge.Visitor.GetStringAsync(other.Path, TestContext.Current.CancellationToken));
            most = Math.Max(most, edge.Process.WorkingSet);
            asked += 2;
        }
        while (!flood.IsCompleted);

        output.WriteLine($"{name}: sent {await flood} times; {asked} requests beside it; {(most - before) >> 20} MiB more");
        Assert.InRange(most - before, long.MinValue, MaxGrowth);
    }
}

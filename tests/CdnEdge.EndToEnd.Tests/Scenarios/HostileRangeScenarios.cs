using System.Globalization;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// RangeAmp (Li et al., "CDN Backfired: Amplification Attacks Based on HTTP Range Requests", DSN 2020): a few bytes asked for don't make
/// many come from the origin, nor many go out.
/// </summary>
public sealed class HostileRangeScenarios(Edge edge, ITestOutputHelper output) : IClassFixture<Edge>
{
    private const int Length = 64 << 20;
    private static readonly string Piece = new('x', 64 << 10);

    [Theory]
    [InlineData("bytes=0-0", "max-age=600")]
    [InlineData("bytes=0-0", "no-store")]
    [InlineData("bytes=-1", "max-age=600")]
    [InlineData("bytes=-1", "no-store")]
    [InlineData("bytes=33554432-33554432", "max-age=600")]
    public async Task A_tiny_range_of_what_is_not_stored_costs_the_origin_as_little(string range, string cacheControl)
    {
        var sent = new Sent();
        var page = edge.Origin.Serves(origin => Large(origin, cacheControl, sent));

        var bytes = 0L;
        for (var i = 0; i < 10; i++)
        {
            var part = await edge.Get($"{page.Path}?{i}", $"Range: {range}");
            Assert.Equal((206, 1), (part.Status, part.Body.Length));
            bytes += part.Headers.ToString().Length + part.Body.Length;
        }

        output.WriteLine($"RangeAmp {range} {cacheControl}: {sent.Bytes} bytes from the origin, {bytes} to the client: {(double)sent.Bytes / bytes:0.00}");
        Assert.InRange((double)sent.Bytes / bytes, 0, 2);
    }

    [Fact]
    public async Task Nor_does_one_of_an_origin_that_knows_no_ranges_once_the_client_has_gone()
    {
        var sent = new Sent();
        var page = edge.Origin.Serves(origin => Whole(origin, "max-age=600", sent));
        await using (var client = await RawClient.Connect(edge.Address, receiveBuffer: 4096))
        {
            await client.Ask("GET", page.Path, "Range: bytes=0-0");
            await client.ReceiveHead();
            client.HangUp();
        }

        await sent.Ended();
        output.WriteLine($"RangeAmp, no ranges: {sent.Bytes >> 10} KiB of {Length >> 10} KiB from the origin after the client hung up");
        Assert.InRange(sent.Bytes, 0, Length / 4);
    }

    [Theory]
    [InlineData("no-store")]
    [InlineData("max-age=600")]
    public async Task Who_hangs_up_in_a_long_range_leaves_the_origin_in_peace(string cacheControl)
    {
        var sent = new Sent();
        var page = edge.Origin.Serves(origin => Large(origin, cacheControl, sent));
        await using (var client = await RawClient.Connect(edge.Address, receiveBuffer: 4096))
        {
            await client.Ask("GET", page.Path, "Range: bytes=1-");
            await client.ReceiveHead();
            client.HangUp();
        }

        await sent.Ended();
        output.WriteLine($"RangeAmp, dropped connection, {cacheControl}: {sent.Bytes >> 10} KiB of {Length >> 10} KiB from the origin");
        Assert.InRange(sent.Bytes, 0, Length / 4);
    }

    public static TheoryData<string> Immodest =>
    [
        "bytes=" + string.Join(',', Enumerable.Repeat("0-", 1_000)),
        "bytes=" + string.Join(',', Enumerable.Repeat("0-", 2)),
        "bytes=0-9,5-14",
        "bytes=-1,-2",
        "bytes=1-,-5",
        "bytes=0-0,0-0",
        "bytes=" + string.Join(',', Enumerable.Range(0, 17).Select(n => $"{2 * n}-{2 * n}")),
        "bytes=5-2",
        "bytes=nonsense",
    ];

    [Theory]
    [MemberData(nameof(Immodest))]
    public async Task Ranges_that_are_many_or_overlap_are_not_asked_of_the_origin(string range)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: no-store"], "0123456789"));

        var response = await edge.Get(page, $"Range: {range}", "If-Range: \"1\"");

        Assert.Equal((200, "0123456789"), (response.Status, response.Text));
        Assert.Null(Assert.Single(page.Requests).Headers["Range"]);
    }

    [Theory]
    [InlineData("bytes=0-0,2-3")]
    [InlineData("bytes=0-0,-1")]
    [InlineData("bytes=2-")]
    [InlineData("bytes=0-0, 5-6 ,8-")]
    public async Task Modest_ones_are(string range)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(206, ["Cache-Control: no-store", "Content-Type: multipart/byteranges; boundary=x"], "parts"));

        var response = await edge.Get(page, $"Range: {range}");

        Assert.Equal((206, "parts"), (response.Status, response.Text));
        Assert.Equal(range, Assert.Single(page.Requests).Headers["Range"]);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(1_000)]
    public async Task Of_what_is_stored_overlapping_ranges_never_come_to_more_than_the_whole(int ranges)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Piece));
        await edge.Get(page);

        var response = await edge.Get(page, "Range: bytes=" + string.Join(',', Enumerable.Repeat("0-", ranges)));

        Assert.True(response.IsHit, response.CacheStatus);
        Assert.InRange(response.Body.Length, 1, Piece.Length);
    }

    private static Task Large(Exchange origin, string cacheControl, Sent sent)
    {
        if (origin.Headers["Range"] is not { } range)
            return Whole(origin, cacheControl, sent);
        var ends = range["bytes=".Length..].Split('-');
        var first = ends[0].Length == 0 ? Length - int.Parse(ends[1], CultureInfo.InvariantCulture) : int.Parse(ends[0], CultureInfo.InvariantCulture);
        var last = ends[0].Length == 0 || ends[1].Length == 0 ? Length - 1 : int.Parse(ends[1], CultureInfo.InvariantCulture);
        return Send(
            origin,
            $"HTTP/1.1 206 Partial\r\nCache-Control: {cacheControl}\r\nETag: \"1\"\r\nContent-Range: bytes {first}-{last}/{Length}\r\nContent-Length: {last - first + 1}\r\n\r\n",
            last - first + 1,
            sent);
    }

    private static Task Whole(Exchange origin, string cacheControl, Sent sent) =>
        Send(origin, $"HTTP/1.1 200 OK\r\nCache-Control: {cacheControl}\r\nETag: \"1\"\r\nContent-Length: {Length}\r\n\r\n", Length, sent);

    private static async Task Send(Exchange origin, string head, int length, Sent sent)
    {
        try
        {
            await origin.Raw(head);
            sent.Add(head.Length);
            for (var left = length; left > 0; left -= Piece.Length)
            {
                var piece = left < Piece.Length ? Piece[..left] : Piece;
                await origin.Raw(piece);
                sent.Add(piece.Length);
            }
        }
        finally
        {
            sent.End();
        }
    }

    /// <summary>Bytes that the origin could get rid of.</summary>
    private sealed class Sent
    {
        private readonly Signal _ended = new("the origin's last byte");
        private long _bytes;

        internal long Bytes => Volatile.Read(ref _bytes);

        internal void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

        internal void End() => _ended.Open();

        internal Task Ended() => _ended.Opened();
    }
}

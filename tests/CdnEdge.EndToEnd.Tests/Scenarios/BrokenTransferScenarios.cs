using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>An origin that breaks off in the middle: never a short body that looks whole, never stored.</summary>
public sealed class BrokenTransferScenarios(Edge edge) : IClassFixture<Edge>
{
    private const string Length = "Content-Length: 100";
    private const string Chunked = "Transfer-Encoding: chunked";

    public static TheoryData<string, string, bool> Breaks => new()
    {
        // framing, what comes before the end, whether the end is a reset
        { Length, "half", false },
        { Length, "half", true },
        { Chunked, "4\r\nhalf\r\n", false },
        { Chunked, "4\r\nhalf\r\n", true },
        { Chunked, "40\r\nhalf", false },
        { Chunked, "4\r\nhalf\r\n0\r\n", false },
        { Chunked, "4\r\nhalf\r\nnonsense\r\n", false },
    };

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Everybody_sees_it_break_and_nothing_is_stored(string framing, string bytes, bool reset)
    {
        var half = bytes.IndexOf("half", StringComparison.Ordinal) + 4;
        var rest = new Signal("the break");
        var page = edge.Origin.Serves(
            async origin =>
            {
                await origin.Raw($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n{framing}\r\n\r\n{bytes[..half]}");
                await rest.Opened();
                await origin.Raw(bytes[half..]);
                await (reset ? origin.Reset() : origin.Close());
            },
            origin => origin.Fresh("whole"));

        // Given two clients in the middle of the body,
        await using var first = await edge.Connect();
        await first.Ask("GET", page.Path);
        var one = await first.ReceiveHead();
        await one.ReadUntil("half");
        await using var second = await edge.Connect();
        await second.Ask("GET", page.Path);
        var two = await second.ReceiveHead();
        await two.ReadUntil("half");

        // when the origin breaks off,
        rest.Open();
        await one.ReadToEnd();
        await two.ReadToEnd();

        // then both see that it did, and the next client gets the whole from the origin.
        Assert.Equal(("half", BodyEnd.Broken), (one.Text, one.End));
        Assert.Equal(("half", BodyEnd.Broken), (two.Text, two.End));
        Assert.Equal(("whole", BodyEnd.Whole, false), Summary(await edge.Get(page)));
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task An_uncacheable_transfer_breaks_visibly_too()
    {
        var rest = new Signal("the break");
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: no-store");
            await origin.Chunk("half");
            await rest.Opened();
            await origin.Reset();
        });
        await using var client = await edge.Connect();
        await client.Ask("GET", page.Path);
        var response = await client.ReceiveHead();
        await response.ReadUntil("half");

        rest.Open();
        await response.ReadToEnd();

        Assert.Equal(BodyEnd.Broken, response.End);
    }

    [Fact]
    public async Task A_revalidation_that_breaks_off_leaves_what_was_stored()
    {
        // The old response may still be used when the origin is out of reach; the half of the new one never.
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: max-age=1, stale-while-revalidate=600"], "old"),
            async origin =>
            {
                await origin.Raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 100\r\n\r\nnew");
                await origin.Close();
            });
        await edge.Get(page);

        await Deadline.Until(async () =>
        {
            var response = await edge.Get(page);
            Assert.Equal(("old", BodyEnd.Whole), (response.Text, response.End));
            return page.Requests.Count >= 3;
        });
    }

    private static (string, BodyEnd, bool) Summary(Response response) => (response.Text, response.End, response.IsHit);
}

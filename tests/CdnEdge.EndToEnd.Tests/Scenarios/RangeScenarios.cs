using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Parts of a body, from what is stored (RFC 9110 §14).</summary>
public sealed class RangeScenarios(Edge edge) : IClassFixture<Edge>
{
    private const string Digits = "0123456789";

    [Theory]
    [InlineData("bytes=2-4", "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", "789", "bytes 7-9/10")]
    [InlineData("bytes=-3", "789", "bytes 7-9/10")]
    [InlineData("bytes=8-100", "89", "bytes 8-9/10")]
    public async Task A_single_range_of_a_stored_response(string range, string text, string contentRange)
    {
        var page = await StoredDigits();

        var part = await edge.Get(page, $"Range: {range}");

        Assert.Equal((206, text, contentRange), (part.Status, part.Text, part.Headers["Content-Range"]));
        Assert.True(part.IsHit, part.CacheStatus);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Several_ranges_come_as_multipart()
    {
        var page = await StoredDigits();

        var parts = await edge.Get(page, "Range: bytes=0-1,8-9");

        Assert.Equal(206, parts.Status);
        Assert.StartsWith("multipart/byteranges; boundary=", parts.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.Matches("(?is)^.*content-range: bytes 0-1/10\r\n.*\r\n01\r\n.*content-range: bytes 8-9/10\r\n.*\r\n89\r\n--.*--(\r\n)?$", parts.Text);
        Assert.Equal(BodyEnd.Whole, parts.End);
    }

    [Fact]
    public async Task A_range_behind_the_end_is_a_416()
    {
        var page = await StoredDigits();

        var part = await edge.Get(page, "Range: bytes=10-");

        Assert.Equal((416, "bytes */10"), (part.Status, part.Headers["Content-Range"]));
    }

    [Theory]
    [InlineData("If-Range: \"1\"", 206)]
    [InlineData("If-Range: \"2\"", 200)]
    [InlineData("If-Range: W/\"1\"", 200)] // RFC 9110 §13.1.5: only a strong match counts
    public async Task If_range_decides_between_the_part_and_the_whole(string ifRange, int status)
    {
        var page = await StoredDigits();

        var response = await edge.Get(page, "Range: bytes=2-4", ifRange);

        Assert.Equal((status, status == 206 ? "234" : Digits), (response.Status, response.Text));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Parts_of_one_representation_are_put_together()
    {
        var page = edge.Origin.Serves(Parts);

        Assert.Equal("01234", (await edge.Get(page, "Range: bytes=0-4")).Text);
        Assert.Equal("56789", (await edge.Get(page, "Range: bytes=5-9")).Text);
        var across = await edge.Get(page, "Range: bytes=3-6");
        var whole = await edge.Get(page);

        Assert.Equal((206, "3456", true), (across.Status, across.Text, across.IsHit));
        Assert.Equal((200, Digits, true), (whole.Status, whole.Text, whole.IsHit));
    }

    [Fact]
    public async Task Parts_of_different_representations_are_never_put_together()
    {
        var etag = 0;
        var page = edge.Origin.Serves(origin => Part(origin, $"\"{Interlocked.Increment(ref etag)}\""));

        await edge.Get(page, "Range: bytes=0-4");
        await edge.Get(page, "Range: bytes=5-9");
        var across = await edge.Get(page, "Range: bytes=3-6");

        // Whatever it's made of, it came from one answer of the origin.
        Assert.False(across.IsHit && etag == 2, across.CacheStatus);
        Assert.Equal("3456", across.Text);
    }

    [Fact]
    public async Task Parts_that_are_asked_for_at_the_same_time_are_put_together()
    {
        for (var i = 0; i < 20; i++)
        {
            var answers = new Signal("all answers");
            var page = edge.Origin.Serves(async origin =>
            {
                await answers.Opened();
                await Parts(origin);
            });

            var parts = new[] { "0-1", "2-3", "4-5", "6-7", "8-9" }.Select(part => edge.Get(page, $"Range: bytes={part}")).ToArray();
            await page.Asked(parts.Length);
            answers.Open();
            await Task.WhenAll(parts);

            var whole = await edge.Get(page);
            Assert.Equal((200, Digits, true), (whole.Status, whole.Text, whole.IsHit));
        }
    }

    [Fact]
    public async Task A_part_that_comes_after_the_whole_does_not_push_it_out()
    {
        var answer = new Signal("the part");
        var page = edge.Origin.Serves(
            async origin =>
            {
                await answer.Opened();
                await Parts(origin);
            },
            Parts);
        var part = edge.Get(page, "Range: bytes=0-4");
        await page.Asked(1);
        await edge.Get(page);

        answer.Open();
        Assert.Equal("01234", (await part).Text);

        Assert.True((await edge.Get(page)).IsHit);
        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task The_rest_of_a_part_with_a_weak_validator_is_not_asked_for()
    {
        var page = edge.Origin.Serves(origin => Part(origin, "W/\"1\""));
        await edge.Get(page, "Range: bytes=0-4");

        Assert.Equal(Digits, (await edge.Get(page)).Text);

        Assert.Equal(["bytes=0-4", null], page.Requests.Select(request => request.Headers["Range"]));
    }

    private async Task<Resource> StoredDigits()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Digits, "ETag: \"1\"", "Content-Type: text/plain"));
        await edge.Get(page);
        return page;
    }

    private static Task Parts(Exchange origin) => Part(origin, "\"1\"");

    /// <summary>An origin that answers a single range with just that.</summary>
    private static Task Part(Exchange origin, string etag)
    {
        if (origin.Headers["Range"] is not { } range)
            return origin.Fresh(Digits, $"ETag: {etag}");
        var ends = range["bytes=".Length..].Split('-');
        var (first, last) = (int.Parse(ends[0], null), ends[1].Length == 0 ? 9 : int.Parse(ends[1], null));
        return origin.Respond(
            206,
            ["Cache-Control: max-age=600", $"ETag: {etag}", $"Content-Range: bytes {first}-{last}/10"],
            Digits[first..(last + 1)]);
    }
}

using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>A memory tier of one mebibyte in front of a site of many.</summary>
public sealed class MemoryBoundScenarios(MemoryBoundScenarios.TinyEdge edge) : IClassFixture<MemoryBoundScenarios.TinyEdge>
{
    private const int MaxBytes = 1024 * 1024;
    private const int ObjectBytes = 16 * 1024;

    /// <summary>Configured by the environment, as in a container.</summary>
    public sealed class TinyEdge : Edge
    {
        private protected override IReadOnlyDictionary<string, string> Environment =>
            new Dictionary<string, string> { ["CdnEdge__Memory__MaxBytes"] = $"{MaxBytes}" };
    }

    [Fact]
    public async Task It_serves_everything_and_keeps_no_more_than_it_may()
    {
        const int Objects = 300;
        var body = new string('x', ObjectBytes);
        var page = edge.Origin.Serves(origin => origin.Fresh(body));
        await using var client = await edge.Connect();

        for (var number = 0; number < Objects; number++)
        {
            var response = await client.Get($"{page.Path}?{number}");
            Assert.Equal((200, ObjectBytes, BodyEnd.Whole), (response.Status, response.Body.Length, response.End));
        }

        var kept = 0;
        for (var number = 0; number < Objects; number++)
        {
            if ((await client.Get($"{page.Path}?{number}", "Cache-Control: only-if-cached")).Status == 200)
                kept++;
        }

        Assert.InRange(kept * ObjectBytes, 1, MaxBytes);
    }

    [Fact]
    public async Task What_is_too_large_to_store_is_streamed_through()
    {
        const int Length = 8 * MaxBytes;
        var piece = new string('x', MaxBytes);
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Raw($"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {Length}\r\n\r\n");
            for (var sent = 0; sent < Length; sent += MaxBytes)
                await origin.Raw(piece);
        });

        var responses = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => edge.Get(page)));

        Assert.All(responses, response => Assert.Equal((Length, BodyEnd.Whole), (response.Body.Length, response.End)));
        Assert.Equal(504, (await edge.Get(page, "Cache-Control: only-if-cached")).Status);
    }

    [Fact]
    public async Task So_is_what_turns_out_too_large_only_on_the_way()
    {
        const int Pieces = 8;
        var piece = new string('x', MaxBytes);
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: max-age=600");
            for (var sent = 0; sent < Pieces; sent++)
                await origin.Chunk(piece);
            await origin.End();
        });

        var responses = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => edge.Get(page)));

        Assert.All(responses, response => Assert.Equal((Pieces * MaxBytes, BodyEnd.Whole), (response.Body.Length, response.End)));
        Assert.Equal(504, (await edge.Get(page, "Cache-Control: only-if-cached")).Status);
    }
}

using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Chunked uploads whose framing can't be trusted (CVE-2025-55315 and its kind). The head is in order and may have gone
/// forward: what may not is the body as if it were whole, and whatever hides behind it.
/// </summary>
public sealed class BadChunkScenarios(Edge edge) : IClassFixture<Edge>
{
    private const string Smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";

    private static readonly Dictionary<string, string> BadChunks = new()
    {
        ["a bare LF within a chunk extension"] = $"5;x\n\r\nhello\r\n0\r\n\r\n{Smuggled}",
        ["a bare LF behind a chunk size"] = $"5\nhello\r\n0\r\n\r\n{Smuggled}",
        ["a bare CR within a chunk extension"] = $"5;x\ry\r\nhello\r\n0\r\n\r\n{Smuggled}",
        ["a chunk size that is none"] = $"x\r\nhello\r\n0\r\n\r\n{Smuggled}",
        ["a negative chunk size"] = $"-5\r\nhello\r\n0\r\n\r\n{Smuggled}",
        ["a hexadecimal prefix"] = $"0x5\r\nhello\r\n0\r\n\r\n{Smuggled}",
        ["an endless chunk size"] = $"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n{Smuggled}",
        ["a chunk that is longer than it says"] = $"4\r\nhello\r\n0\r\n\r\n{Smuggled}",
    };

    public static TheoryData<string> Names => [.. BadChunks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_ends_the_connection(string what)
    {
        var arrivedWhole = false;
        var page = edge.Origin.Serves(async origin =>
        {
            await origin.ReadBody();
            arrivedWhole = true;
            await origin.Respond(200, []);
        });
        await using var client = await edge.Connect();

        await client.SendAsMuchAsIsTaken($"POST {page.Path} HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n{BadChunks[what]}");
        var response = await client.ReceiveOrNull();

        Assert.True(response is null or { Status: >= 400 and < 500 }, response?.ToString());
        Assert.True(await client.IsClosed(), "The connection was left open.");
        Assert.False(arrivedWhole, "The origin got the body as if it were whole.");
        Assert.DoesNotContain(edge.Origin.Requests, request => request.Target == "/smuggled");
    }
}

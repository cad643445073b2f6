using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What can't be cached is forwarded as it comes, in both directions.</summary>
public sealed class StreamingScenarios(Edge edge) : IClassFixture<Edge>
{
    [Fact]
    public async Task An_upload_reaches_the_origin_while_it_is_sent()
    {
        const int Half = 2_500_000;
        var half = new Signal("half of the upload at the origin");
        var page = edge.Origin.Serves(async origin =>
        {
            while (origin.Body.Length < Half)
                await origin.ReadBodyPiece();
            half.Open();
            var body = await origin.ReadBody();
            await origin.Respond(201, [], $"{body.Length} {body.Count(octet => octet == 'b')}");
        });
        await using var client = await edge.Connect();

        await client.Ask("POST", page.Path, $"Content-Length: {2 * Half}");
        await client.Send(new string('a', Half));
        await half.Opened();
        await client.Send(new string('b', Half));

        var response = await client.Receive();
        Assert.Equal((201, $"{2 * Half} {Half}"), (response.Status, response.Text));
    }

    [Theory]
    [InlineData("Content-Length: 10", "hello", "world")]
    [InlineData("Transfer-Encoding: chunked", "5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n")]
    public async Task A_piece_of_an_upload_does_not_wait_for_the_next(string framing, string first, string second)
    {
        var piece = new Signal("the first piece at the origin");
        var page = edge.Origin.Serves(async origin =>
        {
            while (origin.Body.Length < 5)
                await origin.ReadBodyPiece();
            piece.Open();
            await origin.Respond(200, [], Text(await origin.ReadBody()));
        });
        await using var client = await edge.Connect();

        await client.Ask("POST", page.Path, framing);
        await client.Send(first);
        await piece.Opened();
        await client.Send(second);

        Assert.Equal("helloworld", (await client.Receive()).Text);
    }

    [Fact]
    public async Task A_chunked_upload_arrives_whole()
    {
        var page = edge.Origin.Serves(async origin => await origin.Respond(200, [], Text(await origin.ReadBody())));
        await using var client = await edge.Connect();

        await client.Ask("PUT", page.Path, "Transfer-Encoding: chunked");
        await client.Send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");

        Assert.Equal("hello world", (await client.Receive()).Text);
    }

    [Theory]
    [InlineData("Content-Type: text/event-stream")]
    [InlineData("Content-Type: text/plain|Incremental: ?1")]
    public async Task Each_listener_has_a_stream_of_its_own_and_gets_each_event_as_it_happens(string fields)
    {
        var next = new Signal("the second event");
        var listeners = 0;
        var events = edge.Origin.Serves(async origin =>
        {
            var listener = Interlocked.Increment(ref listeners);
            await origin.Begin(200, ["Cache-Control: max-age=600", .. fields.Split('|')]);
            await origin.Chunk($"data: first for {listener}\n\n");
            await next.Opened();
            await origin.Chunk($"data: second for {listener}\n\n");
            await origin.End();
        });

        await using var one = await edge.Connect();
        await one.Ask("GET", events.Path);
        var first = await one.ReceiveHead();
        await first.ReadUntil("data: first for 1\n\n");
        await using var two = await edge.Connect();
        await two.Ask("GET", events.Path);
        var second = await two.ReceiveHead();
        await second.ReadUntil("data: first for 2\n\n");

        next.Open();
        await first.ReadUntil("data: second for 1\n\n");
        await second.ReadUntil("data: second for 2\n\n");
    }

    [Fact]
    public async Task A_websocket_goes_through()
    {
        const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; // to the key of RFC 6455 §1.3
        var socket = edge.Origin.Serves(async origin =>
        {
            await origin.Raw($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {Accept}\r\n\r\n");
            await origin.Echo();
        });
        await using var client = await edge.Connect();

        await client.Ask(
            "GET", socket.Path, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
        var response = await client.ReceiveHead();

        Assert.Equal("websocket", socket.Requests[0].Headers["Upgrade"]);
        Assert.Equal((101, Accept), (response.Status, response.Headers["Sec-WebSocket-Accept"]));
        foreach (var message in new[] { "ping", "and again" })
        {
            await client.Send(message);
            Assert.Equal(message, await client.ReceiveText(message.Length));
        }
    }

    private static string Text(byte[] body) => System.Text.Encoding.Latin1.GetString(body);
}

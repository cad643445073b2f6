using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Tests.Serving;

public sealed class StoredResponderTests
{
    /// <summary>A client that takes everything at once would otherwise keep its thread's other sockets waiting.</summary>
    [Theory]
    [InlineData(Turn.Bytes / 2, 0)]
    [InlineData(Turn.Bytes, 1)]
    [InlineData((3 * Turn.Bytes) + 1, 3)]
    public async Task A_long_body_that_nothing_holds_up_gives_way_to_others_now_and_then(int length, int expected)
    {
        using var arena = new SegmentArena();
        var body = GrowingBody.Create(arena, length);
        body.Append(new byte[length]);
        body.Seal();
        using var received = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = received } };
        var turns = new Turns();

        var writing = turns.Start(() => StoredResponder.WriteRangeAsync(context, body, new ByteRange(0, length), release: true));
        var given = turns.RunAll();
        await writing;

        Assert.Equal((expected, (long)length), (given, received.Length));
    }
}

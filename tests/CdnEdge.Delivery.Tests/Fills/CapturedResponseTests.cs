using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Serving;
using CdnEdge.Delivery.Tests.Serving;

namespace CdnEdge.Delivery.Tests.Fills;

public sealed class CapturedResponseTests
{
    /// <summary>An origin that sends faster than it's read would otherwise keep its thread's other sockets waiting.</summary>
    [Fact]
    public async Task A_long_body_that_nothing_holds_up_gives_way_to_others_now_and_then()
    {
        var sink = new CountingSink();
        using var response = new CapturedResponse(sink, default, default);
        var turns = new Turns();
        var piece = new byte[Turn.Bytes / 4];

        var writing = turns.Start(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                await response.Stream.WriteAsync(piece);
            }
        });
        var given = turns.RunAll();
        await writing;

        Assert.Equal((2, 10L * piece.Length), (given, sink.Bytes));
    }

    private sealed class CountingSink : IResponseSink
    {
        internal long Bytes { get; private set; }

        public ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows) => ValueTask.CompletedTask;

        public ValueTask OnBodyAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            Bytes += bytes.Length;
            return ValueTask.CompletedTask;
        }
    }
}

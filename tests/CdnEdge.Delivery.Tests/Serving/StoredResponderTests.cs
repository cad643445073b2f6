using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Tests.Serving;

public sealed class StoredResponderTests
{
    /// <summary>A client that takes everything at once would otherwise keep its thread's other sockets waiting.</summary>
    [Theory]
    [InlineData(StoredResponder.BytesInOneGo / 2, 0)]
    [InlineData(StoredResponder.BytesInOneGo, 1)]
    [InlineData((3 * StoredResponder.BytesInOneGo) + 1, 3)]
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

    /// <summary>Runs what gives way only when told to.</summary>
    private sealed class Turns : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _waiting = new();

        public override void Post(SendOrPostCallback d, object? state) => _waiting.Enqueue((d, state));

        internal T Start<T>(Func<T> start) => Inside(start);

        /// <summary>How many turns were given.</summary>
        internal int RunAll() => Inside(() =>
        {
            var count = 0;
            for (; _waiting.TryDequeue(out var next); count++)
            {
                next.Callback(next.State);
            }

            return count;
        });

        private T Inside<T>(Func<T> run)
        {
            var outside = Current;
            SetSynchronizationContext(this);
            try
            {
                return run();
            }
            finally
            {
                SetSynchronizationContext(outside);
            }
        }
    }
}

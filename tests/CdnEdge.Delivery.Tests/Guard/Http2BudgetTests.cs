using System.Buffers;
using CdnEdge.Delivery.Guard;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Delivery.Tests.Guard;

public class Http2BudgetTests
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    [Theory]
    [InlineData(0, 0, 5, 0, 0)] // DATA
    [InlineData(0, 0, 0, 0, 1)] // empty DATA
    [InlineData(0, 1, 0, 0, 0)] // the end of a body
    [InlineData(1, 4, 3, 1, 0)] // HEADERS
    [InlineData(1, 4, 0, 0, 1)]
    [InlineData(2, 0, 5, 0, 1)] // PRIORITY
    [InlineData(3, 0, 4, 0, 0)] // RST_STREAM
    [InlineData(4, 0, 6, 0, 1)] // SETTINGS
    [InlineData(6, 0, 8, 0, 1)] // PING
    [InlineData(8, 0, 4, 0, 1)] // WINDOW_UPDATE
    [InlineData(9, 0, 9, 0, 1)] // CONTINUATION
    [InlineData(200, 0, 1, 0, 1)] // unknown
    public void A_frame_is_a_request_or_content_or_neither(byte type, byte flags, int length, int requests, int overhead)
    {
        var scan = new Http2FrameScan();

        scan.Scan(new ReadOnlySequence<byte>([.. Preface, .. Frame(type, flags, length)]));

        Assert.Equal((requests, overhead), (scan.Requests, scan.Overhead));
    }

    [Fact]
    public void Resets_are_told_apart()
    {
        var scan = new Http2FrameScan();

        scan.Scan(new ReadOnlySequence<byte>([.. Preface, .. Frame(3, 0, 4), .. Frame(1, 5, 3), .. Frame(3, 0, 4)]));

        Assert.Equal((1, 2, 0), (scan.Requests, scan.Resets, scan.Overhead));
    }

    [Fact]
    public void Wherever_reads_cut_the_frames_the_counts_are_the_same() =>
        Gen.Select(Gen.Select(Gen.Byte[0, 9], Gen.Byte[0, 1], Gen.Int[0, 40]).Array[1, 30], Gen.Int[1, 30].Array[1, 40]).Sample((frames, cuts) =>
        {
            byte[] bytes = [.. Preface, .. frames.SelectMany(static frame => Frame(frame.Item1, frame.Item2, frame.Item3))];
            var whole = new Http2FrameScan();
            whole.Scan(new ReadOnlySequence<byte>(bytes));

            var cut = new Http2FrameScan();
            var (requests, resets, overhead, at) = (0, 0, 0, 0);
            for (var i = 0; at < bytes.Length; i++)
            {
                var length = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
                cut.Scan(new ReadOnlySequence<byte>(bytes, at, length));
                (requests, resets, overhead, at) = (requests + cut.Requests, resets + cut.Resets, overhead + cut.Overhead, at + length);
            }

            Assert.Equal((whole.Requests, whole.Resets, whole.Overhead), (requests, resets, overhead));
            Assert.Equal(frames.Length, whole.Requests + whole.Resets + whole.Overhead + frames.Count(static frame => frame.Item1 == 0 && (frame.Item3 > 0 || frame.Item2 == 1)));
        });

    [Fact]
    public void It_is_exhausted_by_a_burst()
    {
        var budget = new Http2Budget(new FakeTimeProvider());

        budget.Spend(Http2Budget.Capacity);
        Assert.False(budget.IsExhausted);
        budget.Spend(1);

        Assert.True(budget.IsExhausted);
    }

    [Fact]
    public void A_page_that_is_left_is_within_it_and_more_resets_than_Kestrel_has_streams_are_not()
    {
        var budget = new Http2Budget(new FakeTimeProvider());

        budget.SpendResets(160);
        Assert.False(budget.IsExhausted);
        budget.SpendResets(40);

        Assert.True(budget.IsExhausted);
    }

    [Fact]
    public void A_request_that_came_to_nothing_is_paid_for_once()
    {
        var budget = new Http2Budget(new FakeTimeProvider());
        budget.SpendResets(1);
        budget.Spend(Http2Budget.Capacity - Http2Budget.PerReset);

        budget.SpendAborted();
        Assert.False(budget.IsExhausted);

        budget.SpendAborted(); // another one, without a reset by the client
        Assert.True(budget.IsExhausted);
    }

    [Fact]
    public void It_fills_by_time_requests_and_what_is_sent_and_never_over()
    {
        var time = new FakeTimeProvider();
        var budget = new Http2Budget(time);
        time.Advance(TimeSpan.FromHours(1));
        budget.Fill(requests: 0);
        budget.Spend(Http2Budget.Capacity + 1);
        Assert.True(budget.IsExhausted);

        time.Advance(TimeSpan.FromMilliseconds(1));
        budget.Fill(requests: 0);
        Assert.False(budget.IsExhausted);

        budget.Spend(1 + Http2Budget.PerRequest);
        budget.Fill(requests: 1);
        Assert.True(budget.IsExhausted);
        budget.Sent(Http2Budget.BytesPerFrame - 1);
        budget.Fill(requests: 0);
        Assert.True(budget.IsExhausted);
        budget.Sent(1);
        budget.Fill(requests: 0);
        Assert.False(budget.IsExhausted);
    }

    private static byte[] Frame(byte type, byte flags, int length) => [0, 0, (byte)length, type, flags, 0, 0, 0, 1, .. new byte[length]];
}

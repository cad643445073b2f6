using CdnEdge.FaultyOrigin;
using CdnEdge.Lab;
using CdnEdge.Lab.Load;
using CsCheck;

namespace CdnEdge.EndToEnd.Tests.Lab;

/// <summary>What the lab measures with.</summary>
public sealed class InstrumentTests
{
    private static readonly DateTimeOffset Noon = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Theory]
    [InlineData(0.5, 50)]
    [InlineData(0.99, 99)]
    [InlineData(0.07, 7)]
    [InlineData(1, 100)]
    [InlineData(0, 1)]
    public void A_percentile_is_the_nearest_rank(double share, int milliseconds)
    {
        var hundred = Enumerable.Range(1, 100).Reverse().Select(static i => TimeSpan.FromMilliseconds(i));

        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Percentiles.At(share, hundred));
    }

    [Fact]
    public void Nothing_has_no_percentile() => Assert.Null(Percentiles.At(0.5, []));

    [Fact]
    public void One_fill_per_object_and_one_each_time_that_it_has_expired()
    {
        var fills = Fills([(0, 1), (0.1, 1), (0.2, 2), (1.9, 1), (2, 1), (2.5, 1), (4.5, 2)]);

        Assert.Equal([0, 0.2, 2, 4.5], fills);
    }

    [Fact]
    public void What_was_filled_late_in_a_second_is_fresh_for_a_part_of_one_less()
    {
        // Date has whole seconds, and age counts from there.
        Assert.Equal([0.9, 2], Fills([(0.9, 1), (1.9, 1), (2, 1)]));
    }

    [Fact]
    public void Where_nobody_can_answer_there_is_no_fill_and_all_remains_expired()
    {
        Assert.Equal([0, 5], Fills([(0, 1), (2, 1), (3, 2), (4.9, 1), (5, 1), (5.1, 1)], goneFrom: 2, goneTo: 5));
    }

    [Theory]
    [InlineData(100, 3, 30)] // 10 in 10 seconds for each of 3 nodes
    [InlineData(1000, 10, 200)] // a fifth
    [InlineData(100, 20, 60)]
    [InlineData(100, 21, 90)]
    public void The_budget_is_the_larger_of_a_share_and_a_minimum(int implied, int seconds, int budget)
    {
        Assert.Equal(budget, ImpliedFills.Budget(implied, TimeSpan.FromSeconds(seconds), askers: 3, share: 0.2, min: 10));
    }

    [Fact]
    public void The_limit_is_a_tenth_more_than_implied_and_the_budget() => Assert.Equal(11 + 5, ImpliedFills.Limit(10, 5));

    [Fact]
    public void Content_is_the_same_from_wherever_it_is_read()
    {
        Gen.Select(Gen.UInt, Gen.Int[0, 5], Gen.Int[0, 100], Gen.Int[0, 100]).Sample((number, version, offset, length) =>
        {
            var whole = new byte[200];
            Content.Fill(whole, number, version, 0);
            var part = new byte[length];
            Content.Fill(part, number, version, offset);

            Assert.Equal(whole[offset..(offset + length)], part);
            Assert.True(Content.IsAt(part, number, version, offset));
        });
    }

    [Fact]
    public void One_wrong_byte_is_found()
    {
        var content = new byte[5000];
        Content.Fill(content, 7, 0, 0);
        content[4321] ^= 1;

        Assert.True(Content.IsAt(content.AsSpan(0, 4321), 7, 0, 0));
        Assert.False(Content.IsAt(content, 7, 0, 0));
        Assert.False(Content.IsAt(content.AsSpan(0, 4321), 8, 0, 0));
        Assert.False(Content.IsAt(content.AsSpan(0, 4321), 7, 1, 0));
        Assert.False(Content.IsAt(content.AsSpan(0, 4321), 7, 0, 8));
    }

    [Fact]
    public void Every_second_new_object_is_asked_for_at_two_nodes_and_held_ones_at_all()
    {
        var catalogue = new Catalogue(Tuning.Short, seed: 1);
        var arrivals = Enumerable.Range(0, 10_000).Select(_ => catalogue.Next(2)).ToList();

        foreach (var miss in arrivals.Where(static arrival => arrival.Kind == Kind.Miss).SkipLast(1).GroupBy(static arrival => arrival.Number))
            Assert.Equal(miss.Key % 2 == 0 ? 2 : 1, miss.Select(static arrival => arrival.Node).Distinct().Count());
        var held = catalogue.Held(2).ToHashSet();
        Assert.Equal(2 * (Tuning.Short.Fresh + Tuning.Short.Expiring), held.Count);
        Assert.All(arrivals.Where(static arrival => arrival.Kind != Kind.Miss), arrival => Assert.Contains(arrival, held));
    }

    [Theory]
    [InlineData("bytes=0-9", null, 206, 0, 10)]
    [InlineData("bytes=90-", null, 206, 90, 10)]
    [InlineData("bytes=-5", null, 206, 95, 5)]
    [InlineData("bytes=90-1000", null, 206, 90, 10)]
    [InlineData("bytes=100-", null, 416, 0, 0)]
    [InlineData("bytes=9-0", null, 200, 0, 100)]
    [InlineData("bytes=0-1,5-6", null, 200, 0, 100)]
    [InlineData("bytes=90-", "\"5-0-100\"", 206, 90, 10)]
    [InlineData("bytes=90-", "\"other\"", 200, 0, 100)]
    [InlineData("bytes=90-", "W/\"5-0-100\"", 200, 0, 100)]
    public void The_origin_knows_ranges(string range, string? condition, int status, long from, long length)
    {
        var ifRange = condition is null ? "" : $"If-Range: {condition}\r\n";
        var answer = Answer.To(Request.Parse(System.Text.Encoding.Latin1.GetBytes($"GET /o/5?size=100 HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n{ifRange}"))!);

        Assert.Equal((status, from, length), (answer.Status, answer.From, answer.Length));
    }

    [Theory]
    [InlineData("/o/5?ttl=3&swr=4&sie=5", "Cache-Control: max-age=3, stale-while-revalidate=4, stale-if-error=5")]
    [InlineData("/o/5", "Cache-Control: max-age=60")]
    [InlineData("/o/5?ttl=-1", "Cache-Control: no-store")]
    public void The_origin_says_for_how_long(string target, string field)
    {
        var answer = Answer.To(Request.Parse(System.Text.Encoding.Latin1.GetBytes($"GET {target} HTTP/1.1\r\nHost: a\r\n"))!);

        Assert.Contains(field, answer.Fields);
    }

    private static double[] Fills((double At, long Number)[] asks, double goneFrom = 0, double goneTo = 0) =>
        [.. ImpliedFills.Of(
            asks.Select(static ask => new ImpliedFills.Ask(Noon.AddSeconds(ask.At), ask.Number, 2)),
            at => at < Noon.AddSeconds(goneFrom) || at >= Noon.AddSeconds(goneTo)).Select(static at => (at - Noon).TotalSeconds)];
}

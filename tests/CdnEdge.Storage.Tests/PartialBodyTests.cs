using CdnEdge.Caching;
using CsCheck;

namespace CdnEdge.Storage.Tests;

public sealed class PartialBodyTests : IDisposable
{
    private readonly SegmentArena _arena = new();

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void One_part_is_served_at_its_place_and_nothing_elsewhere()
    {
        var body = PartialBody.Create(new ByteRange(100, 50), 1000, Bytes(50, 1));

        Assert.Equal(1000, body.Length);
        Assert.False(body.IsComplete);
        Assert.Equal([new ByteRange(100, 50)], body.Held);
        Assert.True(body.Covers(new ByteRange(110, 40)));
        Assert.False(body.Covers(new ByteRange(110, 41)));
        Assert.False(body.Covers(new ByteRange(99, 2)));
        Assert.True(body.Read(99, 10).IsEmpty);
        Assert.True(body.Read(150, 10).IsEmpty);
        Assert.Equal(Content.Of(50, 1)[10..15], body.Read(110, 5).ToArray());
    }

    [Fact]
    public void Adjacent_parts_coalesce_and_complete_the_representation()
    {
        var body = PartialBody.Create(new ByteRange(50, 50), null, Bytes(50, 1));
        Assert.Equal(-1, body.Length);

        var whole = body.With(new ByteRange(0, 50), 100, Bytes(50, 2));

        Assert.True(whole.IsComplete);
        Assert.Equal([new ByteRange(0, 100)], whole.Held);
        Assert.True(whole.Covers(new ByteRange(0, 100)));
        Assert.Equal([.. Content.Of(50, 2), .. Content.Of(50, 1)], Content.ReadAll(whole, 0, 100));
    }

    [Fact]
    public void The_complete_length_once_told_is_remembered()
    {
        var body = PartialBody.Create(new ByteRange(0, 10), 100, Bytes(10, 1)).With(new ByteRange(20, 10), null, Bytes(10, 2));

        Assert.Equal(100, body.Length);
    }

    [Fact]
    public void The_newer_part_wins_where_they_overlap_even_in_the_middle()
    {
        var body = PartialBody.Create(new ByteRange(0, 100), 100, Bytes(100, 1)).With(new ByteRange(40, 20), 100, Bytes(20, 2));

        byte[] expected = [.. Content.Of(100, 1)[..40], .. Content.Of(20, 2), .. Content.Of(100, 1)[60..]];
        Assert.Equal(expected, Content.ReadAll(body, 0, 100));
        Assert.Equal(512, body.OccupiedBytes);
    }

    [Fact]
    public void Each_holds_its_own_references_to_the_parts()
    {
        var first = PartialBody.Create(new ByteRange(0, 100), 300, Bytes(100, 1));
        var second = first.With(new ByteRange(40, 20), 300, Bytes(20, 2));
        var third = second.With(new ByteRange(0, 300), 300, Bytes(300, 3));

        first.Release();
        Assert.Equal(Content.Of(100, 1)[..40], Content.ReadAll(second, 0, 40));
        second.Release();
        Assert.Equal(512, _arena.OccupiedBytes);
        Assert.Equal(Content.Of(300, 3), Content.ReadAll(third, 0, 300));
        third.Release();
        Assert.Equal(0, _arena.OccupiedBytes);
        Assert.False(second.TryAcquire());
        Assert.Throws<InvalidOperationException>(() => second.With(new ByteRange(0, 1), 300, Bytes(1, 4)));
    }

    [Fact]
    public void A_part_that_came_short_or_long_counts_for_what_it_should_and_has()
    {
        var @short = PartialBody.Create(new ByteRange(0, 100), 200, Bytes(30, 1));
        var @long = PartialBody.Create(new ByteRange(0, 10), 200, Bytes(30, 1));
        var beyond = PartialBody.Create(new ByteRange(90, 20), 100, Bytes(20, 1));

        Assert.Equal([new ByteRange(0, 30)], @short.Held);
        Assert.Equal([new ByteRange(0, 10)], @long.Held);
        Assert.Equal([new ByteRange(90, 10)], beyond.Held);
    }

    [Fact]
    public void An_empty_part_adds_nothing_and_is_released()
    {
        var body = PartialBody.Create(new ByteRange(0, 10), 20, Bytes(10, 1)).With(new ByteRange(5, 10), 20, GrowingBody.Create(_arena, 10));

        Assert.Equal([new ByteRange(0, 10)], body.Held);
        Assert.Equal(Content.Of(10, 1), Content.ReadAll(body, 0, 10));
    }

    [Fact]
    public void Endless_single_bytes_keep_a_bounded_list_with_the_newest_and_the_long_ones()
    {
        var body = PartialBody.Create(new ByteRange(0, 1000), 1_000_000, Bytes(1000, 1));
        for (var i = 0; i < 1000; i++)
        {
            var next = body.With(new ByteRange(2000 + (i * 10), 1), null, Bytes(1, i));
            body.Release();
            body = next;
        }

        Assert.Equal(PartialBody.MaxPieces, body.Held.Count);
        Assert.True(body.Covers(new ByteRange(0, 1000)));
        Assert.True(body.Covers(new ByteRange(2000 + 9990, 1)));
        Assert.Equal(body.OccupiedBytes, _arena.OccupiedBytes);
    }

    [Fact]
    public void Any_sequence_of_parts_reads_as_if_they_were_written_over_each_other() =>
        Gen.Select(Gen.Int[0, 900], Gen.Int[1, 400]).List[1, 25].Sample(
            parts =>
            {
                using var arena = new SegmentArena();
                const int Complete = 1000;
                var model = new int[Complete];
                PartialBody? body = null;
                for (var i = 0; i < parts.Count; i++)
                {
                    var (offset, length) = parts[i];
                    length = Math.Min(length, Complete - offset);
                    var bytes = Content.Body(arena, Enumerable.Repeat((byte)(i + 1), length).ToArray());
                    model.AsSpan(offset, length).Fill(i + 1);
                    var range = new ByteRange(offset, length);
                    var next = body?.With(range, null, bytes) ?? PartialBody.Create(range, Complete, bytes);
                    body?.Release();
                    body = next;
                }

                for (var offset = 0; offset < Complete; offset++)
                {
                    var run = body!.Read(offset, 1);
                    Assert.Equal(model[offset], run.IsEmpty ? 0 : run.Span[0]);
                    Assert.Equal(model[offset] != 0, body.Covers(new ByteRange(offset, 1)));
                }

                var held = body!.Held.Sum(static range => range.Length);
                Assert.Equal(model.Count(static by => by != 0), held);
                Assert.Equal(held == Complete, body.IsComplete);
                foreach (var range in body.Held)
                {
                    Assert.True(body.Covers(range));
                    Assert.Equal(range.Length, Content.ReadAll(body, range.Offset, range.End).Length);
                }

                for (var i = 1; i < body.Held.Count; i++)
                    Assert.True(body.Held[i].Offset > body.Held[i - 1].End);
                Assert.Equal(arena.OccupiedBytes, body.OccupiedBytes);
                body.Release();
                Assert.Equal(0, arena.OccupiedBytes);
            },
            iter: 500);

    private GrowingBody Bytes(int length, int seed) => Content.Body(_arena, Content.Of(length, seed));
}

using CsCheck;

namespace CdnEdge.Storage.Tests;

public class SegmentArenaTests
{
    private const int KiB = 1024;

    [Theory]
    [InlineData(1, 256)]
    [InlineData(256, 256)]
    [InlineData(257, 512)]
    [InlineData(5632, 5632)]
    [InlineData(65536, 65536)]
    [InlineData(70_000, 70_144)]
    [InlineData(1024 * KiB, 1024 * KiB)]
    [InlineData(5000 * KiB, 1024 * KiB)]
    public void A_segment_is_what_was_asked_for_rounded_up_to_256_and_at_most_a_slab(int bytes, int expected)
    {
        using var arena = new SegmentArena();

        var segment = arena.Allocate(bytes);

        Assert.Equal(expected, segment.Length);
        Assert.Equal(expected, segment.Memory.Length);
        Assert.Equal(expected, arena.OccupiedBytes);
        Assert.Equal(1024 * KiB, arena.ReservedBytes);
    }

    [Fact]
    public void Segments_fill_a_slab_without_gaps_before_another_is_taken()
    {
        using var arena = new SegmentArena();

        foreach (var size in new[] { 512, 256, 256, 64 * KiB, 1 * KiB, 2 * KiB, 4 * KiB, 512 * KiB, 8 * KiB, 16 * KiB, 32 * KiB, 128 * KiB, 256 * KiB })
            arena.Allocate(size);

        Assert.Equal(1024 * KiB, arena.OccupiedBytes);
        Assert.Equal(1024 * KiB, arena.ReservedBytes);
    }

    [Fact]
    public void A_slab_whose_pieces_all_came_back_is_whole_again()
    {
        using var arena = new SegmentArena();
        var segments = Enumerable.Range(0, 50).Select(i => arena.Allocate(1 + (i * 997 % 9000))).ToList();

        foreach (var segment in segments)
            arena.Free(segment);

        Assert.Equal(0, arena.OccupiedBytes);
        Assert.Equal(1024 * KiB, arena.Allocate(1024 * KiB).Length);
        Assert.Equal(1024 * KiB, arena.ReservedBytes);
    }

    [Fact]
    public void Empty_slabs_go_back_to_the_operating_system_but_for_two()
    {
        using var arena = new SegmentArena();
        var segments = Enumerable.Range(0, 8).Select(_ => arena.Allocate(1024 * KiB)).ToList();

        foreach (var segment in segments)
            arena.Free(segment);

        Assert.Equal(2 * 1024 * KiB, arena.ReservedBytes);
    }

    [Fact]
    public void Freeing_a_segment_twice_is_refused()
    {
        using var arena = new SegmentArena();
        arena.Allocate(300);
        var segment = arena.Allocate(300);
        arena.Free(segment);

        Assert.Throws<InvalidOperationException>(() => arena.Free(segment));
        Assert.Equal(512, arena.OccupiedBytes);
    }

    [Fact]
    public void Shrinking_gives_the_end_back_and_keeps_the_content()
    {
        using var arena = new SegmentArena();
        var segment = arena.Allocate(64 * KiB);
        segment.Memory.Span.Fill(7);

        var kept = arena.Shrink(segment, 33_000);

        Assert.Equal(33_024, kept.Length);
        Assert.Equal(33_024, arena.OccupiedBytes);
        Assert.Equal(-1, kept.Memory.Span.IndexOfAnyExcept((byte)7));
        Assert.Equal(kept.Length, arena.Shrink(kept, 33_000).Length);
    }

    [Fact]
    public void At_its_target_the_arena_hands_out_the_gaps_before_it_takes_a_slab()
    {
        using var arena = new SegmentArena { Target = 1024 * KiB };
        var segments = Enumerable.Range(0, 16).Select(_ => arena.Allocate(64 * KiB)).ToList();
        arena.Free(segments[3]);
        arena.Free(segments[9]);

        var first = arena.Allocate(128 * KiB);
        var second = arena.Allocate(128 * KiB);
        var third = arena.Allocate(128 * KiB);

        Assert.Equal(64 * KiB, first.Length);
        Assert.Equal(64 * KiB, second.Length);
        Assert.Equal(128 * KiB, third.Length);
        Assert.Equal(2 * 1024 * KiB, arena.ReservedBytes);
    }

    [Fact]
    public void Below_its_target_it_takes_a_slab_rather_than_cut_a_body_in_pieces()
    {
        using var arena = new SegmentArena { Target = 2 * 1024 * KiB };
        var segments = Enumerable.Range(0, 16).Select(_ => arena.Allocate(64 * KiB)).ToList();
        arena.Free(segments[3]);

        Assert.Equal(128 * KiB, arena.Allocate(128 * KiB).Length);
    }

    [Fact]
    public void After_disposal_outstanding_segments_stay_readable_until_they_are_freed()
    {
        var arena = new SegmentArena();
        var segment = arena.Allocate(1000);
        var other = arena.Allocate(1024 * KiB);
        arena.Free(other);
        segment.Memory.Span.Fill(9);

        arena.Dispose();

        Assert.Equal(1024 * KiB, arena.ReservedBytes);
        Assert.Equal(9, segment.Memory.Span[999]);
        arena.Free(segment);
        Assert.Equal(0, arena.ReservedBytes);
        Assert.Throws<ObjectDisposedException>(() => arena.Allocate(1));
        Assert.Throws<ObjectDisposedException>(() => segment.Memory.Span[0]);
    }

    [Fact]
    public void Whatever_is_allocated_shrunk_and_freed_nothing_overlaps_and_everything_comes_back() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[1, 200_000], Gen.Int[0, int.MaxValue]).List[1, 300].Sample(
            steps =>
            {
                using var arena = new SegmentArena { Target = 4 * 1024 * KiB };
                var held = new List<(Segment Segment, byte Mark)>();
                byte mark = 0;
                foreach (var (kind, size, pick) in steps)
                {
                    if (kind < 3)
                    {
                        // Skewed to small sizes, as bodies are.
                        var segment = arena.Allocate(kind == 0 ? size : (size / 100) + 1);
                        segment.Memory.Span.Fill(++mark);
                        held.Add((segment, mark));
                    }
                    else if (held.Count > 0)
                    {
                        var index = pick % held.Count;
                        var (segment, expected) = held[index];
                        Assert.Equal(-1, segment.Memory.Span.IndexOfAnyExcept(expected));
                        if (kind == 3)
                        {
                            held[index] = (arena.Shrink(segment, (pick % segment.Length) + 1), expected);
                        }
                        else
                        {
                            arena.Free(segment);
                            held.RemoveAt(index);
                        }
                    }

                    Assert.Equal(held.Sum(static entry => (long)entry.Segment.Length), arena.OccupiedBytes);
                    Assert.True(arena.ReservedBytes >= arena.OccupiedBytes);
                }

                foreach (var (segment, expected) in held)
                {
                    Assert.Equal(-1, segment.Memory.Span.IndexOfAnyExcept(expected));
                    arena.Free(segment);
                }

                Assert.Equal(0, arena.OccupiedBytes);
                Assert.True(arena.ReservedBytes <= 2 * 1024 * KiB);
                Assert.Equal(1024 * KiB, arena.Allocate(1024 * KiB).Length);
            },
            iter: 300);
}

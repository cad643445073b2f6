using CdnEdge.Caching;
using CsCheck;

namespace CdnEdge.Storage.Tests;

public sealed class GrowingBodyTests : IDisposable
{
    private readonly SegmentArena _arena = new();

    public void Dispose() => _arena.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 256)]
    [InlineData(1024, 1024)]
    [InlineData(5500, 5632)]
    [InlineData(100_000, 100_096)]
    [InlineData(3_000_000, 3_000_064)]
    public void A_body_of_known_length_wastes_less_than_256_bytes(int length, long occupied)
    {
        var body = Content.Body(_arena, Content.Of(length, 1));

        Assert.Equal(length, body.Length);
        Assert.Equal(occupied, body.OccupiedBytes);
        Assert.Equal(occupied, _arena.OccupiedBytes);
        Assert.Equal(Content.Of(length, 1), Content.ReadAll(body, 0, length));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    [InlineData(3_000_000)]
    public void A_body_of_unknown_length_gives_its_surplus_back_when_sealed(int length)
    {
        var body = Content.Body(_arena, Content.Of(length, 2), lengthKnown: false);

        Assert.Equal((length + 255) / 256 * 256, body.OccupiedBytes);
        Assert.Equal(body.OccupiedBytes, _arena.OccupiedBytes);
        Assert.Equal(Content.Of(length, 2), Content.ReadAll(body, 0, length));
    }

    [Fact]
    public void A_body_up_to_64_KiB_of_known_length_is_one_run()
    {
        var body = Content.Body(_arena, Content.Of(60_000, 3));

        Assert.Equal(60_000, body.Read(0, int.MaxValue).Length);
    }

    [Fact]
    public void What_is_written_into_its_memory_is_visible_once_committed()
    {
        var body = GrowingBody.Create(_arena, null);
        var memory = body.GetMemory(100);
        Content.Of(100, 4).CopyTo(memory);

        Assert.Equal(0, body.Length);
        Assert.True(body.Read(0, 100).IsEmpty);

        body.Commit(60);

        Assert.Equal(60, body.Length);
        Assert.Equal(Content.Of(60, 4), body.Read(0, 100).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => body.Commit(int.MaxValue));
    }

    [Fact]
    public void Looking_for_the_end_after_the_expected_length_leaves_nothing_behind()
    {
        var body = GrowingBody.Create(_arena, 512);
        body.Append(Content.Of(512, 5));

        Assert.False(body.GetMemory(4096).IsEmpty);
        Assert.Equal(768, body.OccupiedBytes);
        body.Seal();

        Assert.Equal(512, body.OccupiedBytes);
        Assert.Equal(Content.Of(512, 5), Content.ReadAll(body, 0, 600));
    }

    [Fact]
    public void More_and_fewer_bytes_than_expected_are_taken()
    {
        var more = GrowingBody.Create(_arena, 100);
        more.Append(Content.Of(9000, 6));
        more.Seal();
        var fewer = GrowingBody.Create(_arena, 9000);
        fewer.Append(Content.Of(100, 7));
        fewer.Seal();

        Assert.Equal(Content.Of(9000, 6), Content.ReadAll(more, 0, 9000));
        Assert.Equal(Content.Of(100, 7), Content.ReadAll(fewer, 0, 9000));
        Assert.Equal(256, fewer.OccupiedBytes);
    }

    [Fact]
    public void A_sealed_body_takes_no_more()
    {
        var body = Content.Body(_arena, Content.Of(10, 8));

        Assert.Throws<InvalidOperationException>(() => body.Append([1]));
        Assert.Throws<InvalidOperationException>(() => body.GetMemory(1));
        Assert.Throws<InvalidOperationException>(() => body.Commit(0));
        body.Seal();
        Assert.Equal(10, body.Length);
    }

    [Fact]
    public void The_last_reference_frees_the_memory_and_cannot_be_acquired_again()
    {
        var body = Content.Body(_arena, Content.Of(5000, 9));
        Assert.True(body.TryAcquire());

        body.Release();
        Assert.Equal(Content.Of(5000, 9), Content.ReadAll(body, 0, 5000));
        body.Release();

        Assert.Equal(0, _arena.OccupiedBytes);
        Assert.False(body.TryAcquire());
        Assert.Throws<InvalidOperationException>(body.Release);
    }

    [Fact]
    public void A_trimmed_body_frees_whole_segments_and_serves_the_rest()
    {
        var body = GrowingBody.Create(_arena, null);
        body.Append(Content.Of(1_000_000, 10));

        body.TrimBefore(700_000);

        Assert.True(_arena.OccupiedBytes < 500_000);
        Assert.Equal(_arena.OccupiedBytes, body.OccupiedBytes);
        Assert.False(body.Covers(new ByteRange(0, 1)));
        Assert.True(body.Covers(new ByteRange(700_000, 300_000)));
        Assert.True(body.Read(0, 1).IsEmpty);
        body.Append(Content.Of(100_000, 10, from: 1_000_000));
        body.TrimBefore(650_000);
        Assert.Equal(Content.Of(400_000, 10, from: 700_000), Content.ReadAll(body, 700_000, 1_100_000));
        body.TrimBefore(long.MaxValue);
        body.Append([1]);
        body.Seal();
        body.Release();
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Fact]
    public void A_window_over_a_huge_body_stays_a_window()
    {
        var body = GrowingBody.Create(_arena, 1L << 40);
        var chunk = new byte[50_000];
        for (var written = 0L; written < 40_000_000; written += chunk.Length)
        {
            body.Append(chunk);
            body.TrimBefore(body.Length - 200_000);
            Assert.InRange(body.OccupiedBytes, 0, 400_000);
            Assert.InRange(body.ManagedBytes, 0, 1000);
        }
    }

    [Theory]
    [InlineData(0, 100, true)]
    [InlineData(0, 101, false)]
    [InlineData(100, 1, false)]
    [InlineData(99, 1, true)]
    public void It_covers_what_has_arrived(long offset, long length, bool covers)
    {
        var body = Content.Body(_arena, Content.Of(100, 11));

        Assert.Equal(covers, body.Covers(new ByteRange(offset, length)));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var body = Content.Body(_arena, Content.Of(300_000, 12));
        var sum = 0L;
        ReadThrough(body, ref sum);
        var before = GC.GetAllocatedBytesForCurrentThread();

        ReadThrough(body, ref sum);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(600_000, sum);

        static void ReadThrough(GrowingBody body, ref long sum)
        {
            for (var offset = 0L; body.Read(offset, 16_384) is { IsEmpty: false } run; offset += run.Length)
                sum += run.Span.Length;
        }
    }

    [Fact]
    public void Readers_beside_the_writer_see_exactly_what_was_appended() =>
        Gen.Select(Gen.Int[1, 30_000].List[1, 60], Gen.Bool, Gen.Int[1, 20_000], Gen.Bool).Sample(
            (sizes, known, max, gaps) =>
            {
                using var arena = new SegmentArena();
                if (gaps)
                    Fragment(arena);
                var occupied = arena.OccupiedBytes;
                var total = sizes.Sum();
                var body = GrowingBody.Create(arena, known ? total : null);
                Assert.True(body.TryAcquire());
                var reader = Task.Run(() =>
                {
                    var offset = 0L;
                    while (offset < total)
                    {
                        var run = body.Read(offset, max).Span;
                        for (var i = 0; i < run.Length; i++)
                        {
                            if (run[i] != Content.At(offset + i, 13))
                                return offset + i;
                        }

                        offset += run.Length;
                    }

                    body.Release();
                    return -1L;
                });

                var from = 0;
                foreach (var size in sizes)
                {
                    body.Append(Content.Of(size, 13, from));
                    from += size;
                }

                body.Seal();
                body.Release();

                Assert.Equal(-1, reader.GetAwaiter().GetResult());
                Assert.Equal(occupied, arena.OccupiedBytes);
            },
            iter: 60,
            threads: 1);

    // Leaves an arena of two mebibytes with holes of 256 bytes to 4 KiB only.
    private static void Fragment(SegmentArena arena)
    {
        arena.Target = 2 * 1024 * 1024;
        var pieces = new List<Segment>();
        for (var i = 0; arena.OccupiedBytes < arena.Target - 4096; i++)
            pieces.Add(arena.Allocate(256 << (i % 5)));
        for (var i = 0; i < pieces.Count; i += 2)
            arena.Free(pieces[i]);
    }
}

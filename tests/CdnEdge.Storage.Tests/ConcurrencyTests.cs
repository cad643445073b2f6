namespace CdnEdge.Storage.Tests;

public class ConcurrencyTests
{
    [Fact]
    public async Task Readers_read_right_bytes_while_writers_evict_replace_and_remove()
    {
        const int Keys = 200;
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(3 * 1024 * 1024, arena);
        var keys = Enumerable.Range(0, Keys).Select(i => Responses.Key($"/{i}")).ToArray();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1.5));
        long reads = 0;

        await Task.WhenAll(
            Task.Run(() => Write(1), TestContext.Current.CancellationToken),
            Task.Run(() => Write(2), TestContext.Current.CancellationToken),
            Task.Run(() => Read(3), TestContext.Current.CancellationToken),
            Task.Run(() => Read(4), TestContext.Current.CancellationToken));

        Assert.True(reads > 0);
        Assert.True(tier.Evictions > 0);
        Assert.InRange(tier.UsedBytes, 0, tier.MaxBytes);
        tier.Dispose();
        Assert.Equal(0, arena.OccupiedBytes);

        void Write(int seed)
        {
            var random = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                var number = random.Next(Keys);
                var size = random.Next(1, 60_000);
                switch (random.Next(10))
                {
                    case 0:
                        tier.Remove(keys[number]);
                        break;
                    case 1 when tier.Find(keys[number])?.Variants is [var stored, ..]:
                        tier.UpdateHead(stored, Responses.Head(extraFieldBytes: random.Next(2000)));
                        break;
                    default:
                        // The content's seed is its key, so that a reader knows what belongs there.
                        var body = Content.Body(arena, Content.Of(size, number), lengthKnown: size % 2 == 0);
                        if (!tier.Put(keys[number], new StoredResponse(Responses.Head(), body), 4))
                            throw new InvalidOperationException("It's smaller than the tier.");
                        break;
                }
            }
        }

        void Read(int seed)
        {
            var random = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                var number = random.Next(Keys);
                if (tier.Find(keys[number]) is not { Variants: [var response, ..] } || !response.Body!.TryAcquire())
                    continue;
                tier.Touch(response);
                for (var offset = 0L; offset < response.Body.Length;)
                {
                    var run = response.Body.Read(offset, 16_384);
                    Assert.False(run.IsEmpty);
                    for (var i = 0; i < run.Length; i++)
                    {
                        if (run.Span[i] != Content.At(offset + i, number))
                            Assert.Fail($"Byte {offset + i} of {number} is another's.");
                    }

                    offset += run.Length;
                }

                response.Body.Release();
                Interlocked.Increment(ref reads);
            }
        }
    }

    [Fact]
    public async Task What_stays_stored_is_always_found_while_others_come_and_go_and_the_index_grows()
    {
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(64 * 1024 * 1024, arena);
        var stays = Enumerable.Range(0, 20).Select(i => Responses.Key($"/stays/{i}")).ToArray();
        foreach (var key in stays)
            tier.Put(key, new StoredResponse(Responses.Head(), null), 1);
        using var done = new CancellationTokenSource();

        var reader = Task.Run(
            () =>
            {
                var missed = 0;
                do
                {
                    foreach (var key in stays)
                        missed += tier.Find(key) is null ? 1 : 0;
                }
                while (!done.IsCancellationRequested);
                return missed;
            },
            TestContext.Current.CancellationToken);
        for (var i = 0; i < 20_000; i++)
        {
            tier.Put(Responses.Key($"/{i}"), new StoredResponse(Responses.Head(), null), 1);
            if (i % 3 != 0)
                tier.Remove(Responses.Key($"/{i - (i % 50)}"));
        }

        await done.CancelAsync();
        Assert.Equal(0, await reader);
        Assert.Equal(0, tier.Evictions);
    }
}

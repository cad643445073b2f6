using CdnEdge.Caching;

namespace CdnEdge.Storage.Tests;

/// <summary>Counted bytes against real ones. Alone, since it weighs the whole managed heap.</summary>
[Collection(nameof(AccountingTests))]
[CollectionDefinition(nameof(AccountingTests), DisableParallelization = true)]
public class AccountingTests
{
    private const int KiB = 1024;

    [Theory]
    [InlineData(0)]
    [InlineData(1024)]
    [InlineData(100_000)]
    public void What_the_tier_adds_to_heads_and_bodies_is_counted_as_it_is(int bodyBytes)
    {
        var head = Responses.TypicalHead(1);

        var (counted, real) = Fill(_ => head, bodyBytes, objects: bodyBytes > 10_000 ? 2000 : 20_000, countedHead: 0);

        Assert.InRange(counted / (double)real, 0.95, 1.05);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1024)]
    public void Counted_bytes_are_no_less_than_objects_really_take(int bodyBytes)
    {
        var (counted, real) = Fill(Responses.TypicalHead, bodyBytes, objects: 20_000, countedHead: 1);

        // A head's strings are counted even where it shares them with others.
        Assert.InRange(counted / (double)real, 0.95, 1.5);
    }

    [Fact]
    public void Bodies_in_other_codings_are_counted_as_they_are()
    {
        const int Objects = 5000;
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(1024L * KiB * KiB, arena);
        var stored = Enumerable.Range(0, Objects).Select(Store).ToArray();
        Attach(stored[0]);
        var (counted, real) = (tier.UsedBytes, RealBytes(arena));

        foreach (var response in stored.Skip(1))
            Attach(response);

        Assert.InRange((tier.UsedBytes - counted) / (double)(RealBytes(arena) - real), 0.95, 1.05);

        StoredResponse Store(int i)
        {
            var response = new StoredResponse(Responses.Head(), null);
            tier.Put(Responses.Key($"/objects/{i:d8}"), response, 4);
            return response;
        }

        void Attach(StoredResponse response)
        {
            response.TryBeginEncoding("br");
            Assert.True(tier.Attach(response, new EncodedBody("br", Content.Body(arena, new byte[256]), new EntityTag($"\"{Guid.NewGuid()}-br\"", false))));
        }
    }

    [Fact]
    public void Parts_of_a_representation_are_counted_too()
    {
        using var arena = new SegmentArena();
        var kept = new StoredBody[2000];
        Make(0);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 1; i < kept.Length; i++)
            Make(i);

        var real = GC.GetTotalMemory(forceFullCollection: true) - before;
        var counted = kept.Skip(1).Sum(static body => (long)body.ManagedBytes);
        Assert.InRange((double)counted / real, 0.9, 1.15);

        void Make(int i)
        {
            var one = PartialBody.Create(new(0, 10), 100, Content.Body(arena, new byte[10]));
            kept[i] = one.With(new(50, 10), null, Content.Body(arena, new byte[10]));
            one.Release();
        }
    }

    [Fact]
    public void Under_churn_of_all_sizes_the_slabs_stay_within_the_bound_and_bodies_in_few_pieces()
    {
        const long Bound = 48L * KiB * KiB;
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(Bound, arena);
        var random = new Random(5);
        long worst = 0;
        long bodies = 0;
        long pieces = 0;
        for (var i = 0; i < 20_000; i++)
        {
            // 100 B to 1 MiB, each order of magnitude as often as the others; the sizes shift from large to small.
            var phase = i / 5000;
            var size = (int)Math.Exp(Math.Log(100) + (random.NextDouble() * Math.Log((1024 * KiB >> (3 * phase)) / 100.0)));
            var body = Content.Body(arena, new byte[size], lengthKnown: i % 3 != 0);
            Assert.True(tier.Put(Responses.Key($"/{random.Next(30_000)}"), new StoredResponse(Responses.Head(), body), 4));
            if (tier.Find(Responses.Key($"/{random.Next(30_000)}")) is { } hit)
                tier.Touch(hit.Variants[0]);
            if (tier.Evictions == 0)
                continue;
            worst = Math.Max(worst, arena.ReservedBytes + (tier.UsedBytes - arena.OccupiedBytes));
            bodies++;
            for (var offset = 0L; offset < size; pieces++)
                offset += body.TryAcquire() ? Taken(body, offset) : size;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"worst {(double)worst / Bound:p1} of the bound, {(double)pieces / bodies:f2} pieces a body, {tier.Evictions} evictions");
        Assert.InRange(worst, 0, Bound + Bound / 10);
        Assert.InRange((double)pieces / bodies, 1, 5);

        static int Taken(GrowingBody body, long offset)
        {
            var length = body.Read(offset, int.MaxValue).Length;
            body.Release();
            return length;
        }
    }

    private static (long Counted, long Real) Fill(Func<int, StoredHead> head, int bodyBytes, int objects, int countedHead)
    {
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(1024L * KiB * KiB, arena);
        Store(0);
        var real = RealBytes(arena);
        var counted = tier.UsedBytes;
        var heads = 0L;

        for (var i = 1; i <= objects; i++)
            heads += Store(i).Head.ManagedBytes;

        real = RealBytes(arena) - real;
        counted = tier.UsedBytes - counted;
        Assert.Equal(objects + 1, tier.Count);
        return (counted - ((1 - countedHead) * heads), real);

        StoredResponse Store(int i)
        {
            var body = bodyBytes == 0 ? null : Content.Body(arena, new byte[bodyBytes]);
            var response = new StoredResponse(head(i), body);
            tier.Put(Responses.Key($"/objects/{i:d8}"), response, 4);
            return response;
        }
    }

    private static long RealBytes(SegmentArena arena) => GC.GetTotalMemory(forceFullCollection: true) + arena.OccupiedBytes;
}

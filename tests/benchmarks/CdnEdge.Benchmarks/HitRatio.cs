using System.Globalization;
using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Benchmarks;

/// <summary>Hit ratios of the real memory tier against LRU and Belady's optimum.</summary>
internal static class HitRatio
{
    private const int Objects = 50_000;
    private const int Requests = 1_000_000;

    internal static void Run(TextWriter output)
    {
        output.WriteLine($"{Requests:n0} requests, {Objects:n0} objects by Zipf; scans: a fourth of the requests are a crawler's, each page once.");
        output.WriteLine("The cache starts empty. The tier is the real one: it's given its bookkeeping on top of the capacity, which the others get");
        output.WriteLine("for nothing; 'room' is the most body bytes that it held at once, as a part of the capacity (above 100 % it would be favoured).");
        output.WriteLine();
        output.WriteLine("Objects of one size (MIN is exact: nothing can be better)");
        Table(output, sized: false, "MIN");
        output.WriteLine();
        output.WriteLine("Objects of 512 B to 128 KiB, hits by request (furthest-next-use is no bound here, only an approximation of the optimum)");
        Table(output, sized: true, "~opt");
    }

    private static void Table(TextWriter output, bool sized, string optimum)
    {
        output.WriteLine($"{"trace",-18}{"cache",8}{"LRU",9}{"cdnedge",9}{optimum,9}{"room",9}   of the way from LRU to {optimum}");
        foreach (var (alpha, scans) in new[] { (0.8, false), (1.0, false), (0.8, true), (1.0, true) })
        {
            var trace = Traces.Zipf(alpha, Objects, Requests, scans, sized);
            var footprint = trace.FootprintBytes;
            var keys = new CacheKey[trace.Sizes.Length];
            for (var i = 0; i < keys.Length; i++)
                keys[i] = StoredObjects.Key(i);
            foreach (var divisor in new[] { 100, 20, 10 })
            {
                var capacity = footprint / divisor;
                var lru = Ratio(ReferencePolicies.Lru(trace.Requests, trace.Sizes, capacity));
                var best = Ratio(ReferencePolicies.Belady(trace.Requests, trace.Sizes, capacity));
                var (hits, held) = Tier(trace, keys, capacity);
                var ours = Ratio(hits);
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{trace.Name,-18}{"1/" + divisor,8}{lru,9:p2}{ours,9:p2}{best,9:p2}{held / (double)capacity,9:p1}   {(ours - lru) / (best - lru):p0}"));
            }
        }
    }

    private static double Ratio(int hits) => hits / (double)Requests;

    // The capacity is for the bodies; what a response is charged beyond its body is added for the number of objects of the
    // average size that fit, since the other policies are given theirs for nothing.
    private static (int Hits, long MostHeld) Tier(Trace trace, CacheKey[] keys, long capacity)
    {
        using var arena = new SegmentArena();
        var head = StoredObjects.Head(0);
        var average = trace.FootprintBytes / trace.Footprint;
        using var tier = new MemoryTier(capacity + (capacity / average * BookkeepingOf(head, keys[0])), arena);
        var content = new byte[trace.Sizes.Max()];
        var hits = 0;
        var held = 0L;
        foreach (var number in trace.Requests)
        {
            if (tier.Find(keys[number]) is { Variants: [var stored, ..] })
            {
                hits++;
                tier.Touch(stored);
            }
            else
            {
                var response = StoredObjects.Response(arena, head, content.AsSpan(0, trace.Sizes[number]));
                if (!tier.Put(keys[number], response, 1))
                    response.Body!.Release();
                held = Math.Max(held, arena.OccupiedBytes);
            }
        }

        return (hits, held);
    }

    private static long BookkeepingOf(StoredHead head, CacheKey key)
    {
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(1 << 20, arena);
        var before = tier.UsedBytes;
        tier.Put(key, StoredObjects.Response(arena, head, new byte[1024]), 1);
        return tier.UsedBytes - before - 1024;
    }
}

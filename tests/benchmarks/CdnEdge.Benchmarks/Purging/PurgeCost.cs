using System.Diagnostics;
using System.Globalization;
using CdnEdge.Caching;
using CdnEdge.Control;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Benchmarks.Purging;

/// <summary>What a purge of a tag costs, and the next hits, by how many stored objects have that tag.</summary>
internal static class PurgeCost
{
    private const int Rounds = 1000;

    private static readonly CachePolicy Policy = new();
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    internal static void Run(TextWriter output)
    {
        output.WriteLine("Cost of purging a tag, by the number of objects in memory that have it (in process, one thread)");
        Measure(1_000); // compiles; what it says isn't shown
        foreach (var objects in new[] { 1_000, 1_000_000 })
        {
            foreach (var line in Measure(objects))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {objects,9:n0} objects: {line}"));
        }
    }

    private static string[] Measure(int objects)
    {
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(2L << 30, arena);
        var applier = new PurgeApplier(tier.Epochs, static () => [Policy]);
        var head = Head();
        for (var i = 0; i < objects; i++)
        {
            if (!tier.Put(StoredObjects.Key(i), new StoredResponse(head, null, tier.Epochs.Now), 1))
                throw new InvalidOperationException("The tier is too small.");
        }

        if (tier.Count != objects)
            throw new InvalidOperationException($"{tier.Count} of {objects} objects are stored.");
        var random = new Random(1);
        var keys = Enumerable.Range(0, Rounds).Select(_ => StoredObjects.Key(random.Next(objects))).ToArray();
        Each(keys, key => Look(tier, key)); // into the processor's caches, as far as they go

        var hit = Each(keys, key => Look(tier, key));
        var purge = new Percentiles();
        var next = new Percentiles();
        foreach (var key in keys)
        {
            // Softly, so that the objects stay, all of them affected each time.
            purge.Add(Time(() => applier.ApplyNow(new PurgeRequest { Tags = ["all"], Soft = true })));
            next.Add(Time(() => Look(tier, key)));
        }

        var after = Each(keys, key => Look(tier, key));
        applier.ApplyNow(new PurgeRequest { Tags = ["all"] });
        var gone = Each([.. keys.Distinct()], key => Look(tier, key));
        return
        [
            $"hit before               {hit.In("us", 1e6)}",
            $"purge                    {purge.In("us", 1e6)}",
            $"first hit after a purge  {next.In("us", 1e6)}",
            $"hit after that           {after.In("us", 1e6)}",
            $"found gone, and removed  {gone.In("us", 1e6)}",
        ];
    }

    private static Percentiles Each(CacheKey[] keys, Action<CacheKey> act)
    {
        var durations = new Percentiles();
        foreach (var key in keys)
            durations.Add(Time(() => act(key)));
        return durations;
    }

    private static void Look(MemoryTier tier, CacheKey key)
    {
        if (tier.Find(key) is { Variants: [var stored, ..] } && tier.Survives(stored, Now))
            tier.Touch(stored);
    }

    private static TimeSpan Time(Action act)
    {
        var began = Stopwatch.GetTimestamp();
        act();
        return Stopwatch.GetElapsedTime(began);
    }

    private static StoredHead Head()
    {
        var response = new HeaderDictionary { ["Cache-Control"] = "max-age=3600", ["Surrogate-Key"] = "all front" };
        var directives = ResponseDirectives.Parse(response, Policy);
        return StoredHead.Create(200, response, new HeaderDictionary(), directives, Freshness.Of(200, response, directives, Policy, Now, Now), Policy);
    }
}

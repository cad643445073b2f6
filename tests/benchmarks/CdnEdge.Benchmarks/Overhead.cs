using System.Globalization;
using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Benchmarks;

/// <summary>What storing an object of 1 KiB takes beyond its body: managed heap and slabs, against what the tier counts.</summary>
internal static class Overhead
{
    private const int Objects = 100_000;
    private const int BodyBytes = 1024;

    internal static void Run(TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Objects:n0} objects of {BodyBytes} B, key of {StoredObjects.Key(0).Bytes.Length} B; bytes per object beyond the body:"));
        output.WriteLine("(counted: what the tier charges; it charges a head's strings in full, also where responses share them)");
        var shared = StoredObjects.Head(0);
        Measure(output, "tier, key, body's bookkeeping", _ => shared, shared.ManagedBytes);
        Measure(output, "the same and a head of ten fields", StoredObjects.Head, notStored: 0);
    }

    private static void Measure(TextWriter output, string what, Func<int, StoredHead> head, int notStored)
    {
        var content = new byte[BodyBytes];
        using var arena = new SegmentArena();
        using var tier = new MemoryTier(1L << 30, arena);
        Put(0);
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        var reserved = arena.ReservedBytes;
        var counted = tier.UsedBytes;
        for (var i = 1; i <= Objects; i++)
            Put(i);

        var managedEach = (GC.GetTotalMemory(forceFullCollection: true) - managed) / (double)Objects;
        var arenaEach = ((arena.ReservedBytes - reserved) / (double)Objects) - BodyBytes;
        var countedEach = ((tier.UsedBytes - counted) / (double)Objects) - BodyBytes - notStored;
        GC.KeepAlive(tier);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {what,-34} managed {managedEach,7:f0}   slabs {arenaEach,5:f0}   together {managedEach + arenaEach,7:f0}   (counted {countedEach:f0})"));

        void Put(int number) => tier.Put(StoredObjects.Key(number), StoredObjects.Response(arena, head(number), content), 1);
    }
}

using System.IO.Hashing;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests.Keys;

/// <summary>
/// Hash flooding (Crosby and Wallach, "Denial of Service via Algorithmic Complexity Attacks", 2003): who knows the hash function chooses
/// URLs that all fall into one place. Here he'd have to know the process's seed too.
/// </summary>
public class HashFloodingTests
{
    private const int Slots = 4_096;
    private const int Urls = 4_000;

    [Fact]
    public void Keys_made_to_collide_are_spread_all_the_same()
    {
        // Given thousands of URLs that meet in one slot under the hash without a seed,
        var paths = new List<string>();
        for (var number = 0; paths.Count < Urls; number++)
        {
            var path = $"/{number:x8}";
            if (SlotOf(XxHash128.HashToUInt128(BytesOf(path))) == 0)
                paths.Add(path);
        }

        // when they're keys here,
        var slots = new int[Slots];
        foreach (var path in paths)
            slots[SlotOf(Compose(path))]++;

        // then they fall as any URLs do: into 63 of 100 slots, a handful in each.
        Assert.InRange(slots.Count(static used => used > 0), Slots / 2, Slots);
        Assert.InRange(slots.Max(), 1, 16);
    }

    [Fact]
    public void The_seed_is_in_each_key_and_in_what_is_composed_on_the_stack_alike()
    {
        Assert.NotEqual(XxHash128.HashToUInt128(BytesOf("/a")), Compose("/a"));
        Assert.Equal(Compose("/a"), Compose("/a"));
    }

    private static int SlotOf(UInt128 hash) => (int)((ulong)hash % Slots);

    private static UInt128 Compose(string path)
    {
        var key = KeyComposer.Compose(new CachePolicy(), new HostString("example.org"), default, path, default, stackalloc byte[256]);
        var hash = key.Hash;
        key.Dispose();
        return hash;
    }

    private static byte[] BytesOf(string path) => [.. "example.org"u8, CacheKey.Separator, .. Encoding.ASCII.GetBytes(path), CacheKey.Separator];
}

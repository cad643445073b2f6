using System.Buffers.Binary;

namespace CdnEdge.FaultyOrigin;

/// <summary>
/// What <c>/o/N</c> holds: bytes that follow from the number, the version and their place alone, so whoever gets them can tell
/// whether they are right, and all origins serve the same.
/// </summary>
internal static class Content
{
    internal static void Fill(Span<byte> into, long number, int version, long offset)
    {
        Span<byte> block = stackalloc byte[8];
        while (!into.IsEmpty)
        {
            var within = (int)(offset % 8);
            BinaryPrimitives.WriteUInt64LittleEndian(block, Mix(((ulong)number << 32) ^ ((ulong)(uint)version << 56) ^ (ulong)(offset / 8)));
            var count = Math.Min(8 - within, into.Length);
            block.Slice(within, count).CopyTo(into);
            into = into[count..];
            offset += count;
        }
    }

    /// <summary>Whether these are the bytes from <paramref name="offset"/> on.</summary>
    internal static bool IsAt(ReadOnlySpan<byte> bytes, long number, int version, long offset)
    {
        Span<byte> expected = stackalloc byte[1024];
        while (!bytes.IsEmpty)
        {
            var part = expected[..Math.Min(expected.Length, bytes.Length)];
            Fill(part, number, version, offset);
            if (!bytes[..part.Length].SequenceEqual(part))
                return false;
            bytes = bytes[part.Length..];
            offset += part.Length;
        }

        return true;
    }

    /// <summary>A strong entity tag.</summary>
    internal static string Tag(long number, int version, int size) => $"\"{number}-{version}-{size}\"";

    // SplitMix64's finaliser: neighbours have nothing in common.
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}

using System.Buffers.Binary;
using System.Text;

namespace CdnEdge.Fuzz.Engine;

/// <summary>Makes inputs of inputs. The same seed makes the same ones.</summary>
/// <param name="random">The only source of chance.</param>
/// <param name="words">Pieces of valid inputs.</param>
/// <param name="maxLength">Longest that it makes, in bytes.</param>
internal sealed class Mutator(Random random, IEnumerable<string> words, int maxLength)
{
    private const int MostSteps = 6;

    private static readonly byte[] Signs = Encoding.Latin1.GetBytes("\"\\,;=:%?&/#()[]{}<>*-+.@ \t\r\n\0\u0001\u007f\u0080\u00a0\u00c3\u00e2\u00ffaAzZ09'");

    private static readonly byte[][] Numbers =
    [
        .. new[]
        {
            "0", "-0", "-1", "1", "00", "+1", "1.5", "1e9", "1e999", "NaN", "0x10", "16", "17", "128", "255", "256", "65535", "65536",
            "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775806", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "18446744073709551616", "999999999999999", "1000000000000000", "99999999999999999999999999999999999999",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    private static readonly long[] Integers = [0, 1, -1, 2, 127, 128, 255, 256, 32767, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 40, 1L << 62, long.MaxValue, long.MinValue];

    private static readonly (string Open, string Close)[] Brackets =
        [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("\"", "\""), ("\\", "\\"), ("{\"a\":", "}"), ("<a>", "</a>"), ("/..", "/a"), ("%25", "25")];

    private readonly byte[][] _words = [.. words.Select(Encoding.Latin1.GetBytes)];

    /// <summary>A child of one of them, or of two.</summary>
    internal byte[] Mutate(IReadOnlyList<byte[]> parents)
    {
        var child = new List<byte>(parents[random.Next(parents.Count)]);
        for (var steps = 1 + random.Next(MostSteps); steps > 0; steps--)
            Step(child, parents);
        if (child.Count > maxLength)
            child.RemoveRange(maxLength, child.Count - maxLength);
        return [.. child];
    }

    /// <summary>A run of a few signs and words that is to be repeated, most often behind (and before) parts of a valid input.</summary>
    internal Repetition Repeat(IReadOnlyList<byte[]> parents)
    {
        var unit = new List<byte>();
        for (var pieces = 1 + random.Next(4); pieces > 0 || unit.Count == 0; pieces--)
            unit.AddRange(random.Next(6) == 0 ? "{n}"u8 : Piece());
        var parent = parents[random.Next(parents.Count)];
        var (before, after) = random.Next(4) switch
        {
            0 => (new byte[] { Sign() }, []),
            1 => ([], Array.Empty<byte>()),
            _ when parent.Length > 0 && random.Next(parent.Length + 1) is var cut => (parent[..cut], random.Next(2) == 0 ? parent[cut..] : []),
            _ => ([], []),
        };
        return new(before, [.. unit], after);
    }

    private void Step(List<byte> child, IReadOnlyList<byte[]> parents)
    {
        var at = random.Next(child.Count + 1);
        var run = Math.Min(child.Count - at, 1 + random.Next(random.Next(4) == 0 ? 64 : 6));
        switch (random.Next(16))
        {
            case 0 when at < child.Count:
                child[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < child.Count:
                child[at] = (byte)random.Next(256);
                break;
            case 2 when at < child.Count:
                child[at] = Sign();
                break;
            case 3:
                child.Insert(at, Sign());
                break;
            case 4:
                child.RemoveRange(at, run);
                break;
            case 5:
                child.InsertRange(random.Next(child.Count + 1), child.GetRange(at, run));
                break;
            case 6:
                child.RemoveRange(at, run);
                child.InsertRange(at, Piece());
                break;
            case 7 or 8:
                child.InsertRange(at, Piece());
                break;
            case 9:
                ReplaceNumber(child, at);
                break;
            case 10:
                OverwriteInteger(child, at);
                break;
            case 11:
                Splice(child, at, parents[random.Next(parents.Count)]);
                break;
            case 12 when random.Next(4) == 0:
                Nest(child, at);
                break;
            case 13 when random.Next(4) == 0 && run > 0:
                Lengthen(child, at, run);
                break;
            case 14 when at < child.Count && char.IsAsciiLetter((char)child[at]):
                child[at] ^= 0x20;
                break;
            case 15:
                child.RemoveRange(at, child.Count - at);
                break;
        }
    }

    private byte Sign() => Signs[random.Next(Signs.Length)];

    private byte[] Piece() => random.Next(5) switch
    {
        0 => [Sign()],
        1 => Numbers[random.Next(Numbers.Length)],
        2 => [Sign(), Sign()],
        _ when _words.Length > 0 => _words[random.Next(_words.Length)],
        _ => [Sign()],
    };

    /// <summary>The digits around a place become another number.</summary>
    private void ReplaceNumber(List<byte> child, int at)
    {
        var (start, end) = (at, at);
        while (start > 0 && char.IsAsciiDigit((char)child[start - 1]))
            start--;
        while (end < child.Count && char.IsAsciiDigit((char)child[end]))
            end++;
        child.RemoveRange(start, end - start);
        child.InsertRange(start, Numbers[random.Next(Numbers.Length)]);
    }

    private void OverwriteInteger(List<byte> child, int at)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Integers[random.Next(Integers.Length)]);
        var width = random.Next(2) == 0 ? 4 : 8;
        for (var i = 0; i < width && at + i < child.Count; i++)
            child[at + i] = bytes[i];
    }

    private void Splice(List<byte> child, int at, byte[] other)
    {
        child.RemoveRange(at, child.Count - at);
        child.AddRange(other.AsSpan(random.Next(other.Length + 1)));
    }

    private void Nest(List<byte> child, int at)
    {
        var (open, close) = Brackets[random.Next(Brackets.Length)];
        var depth = 1 + random.Next(random.Next(4) == 0 ? 2000 : 100);
        child.InsertRange(at, Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(close, depth))));
        child.InsertRange(at, Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(open, depth))));
    }

    private void Lengthen(List<byte> child, int at, int run)
    {
        var unit = child.GetRange(at, run).ToArray();
        for (var times = random.Next(1 + ((maxLength - Math.Min(maxLength, child.Count)) / run)); times > 0; times--)
            child.InsertRange(at, unit);
    }
}

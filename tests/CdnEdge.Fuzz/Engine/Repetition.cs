using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CdnEdge.Fuzz.Engine;

/// <summary>
/// A long input told shortly: what comes first, what is repeated, what comes last. <c>{n}</c> in what is repeated is the number of the
/// time, so that each can be another one (names, tags).
/// </summary>
internal sealed record Repetition(byte[] Before, byte[] Unit, byte[] After)
{
    /// <summary>Of its file in the corpus.</summary>
    internal const string Extension = ".repeat.json";

    private static ReadOnlySpan<byte> Number => "{n}"u8;

    /// <summary>The input of that length, or a little less: the unit is repeated whole, once at least.</summary>
    internal byte[] Of(int length)
    {
        var input = new List<byte>(length);
        input.AddRange(Before);
        for (var i = 0; i == 0 || input.Count + Unit.Length + After.Length <= length; i++)
            AddUnit(input, i);
        input.AddRange(After);
        return [.. input];
    }

    private void AddUnit(List<byte> input, int time)
    {
        ReadOnlySpan<byte> rest = Unit;
        while (rest.IndexOf(Number) is >= 0 and var at)
        {
            input.AddRange(rest[..at]);
            input.AddRange(Encoding.ASCII.GetBytes(time.ToString(CultureInfo.InvariantCulture)));
            rest = rest[(at + Number.Length)..];
        }

        input.AddRange(rest);
    }

    /// <summary>As it stands in the corpus: texts in which a character is a byte.</summary>
    internal byte[] ToFile() => JsonSerializer.SerializeToUtf8Bytes(
        new Dictionary<string, string> { ["before"] = Text(Before), ["unit"] = Text(Unit), ["after"] = Text(After) });

    internal static Repetition Read(byte[] file)
    {
        var parts = JsonSerializer.Deserialize<Dictionary<string, string>>(file)!;
        return new(Bytes(parts.GetValueOrDefault("before", "")), Bytes(parts["unit"]), Bytes(parts.GetValueOrDefault("after", "")));
    }

    public override string ToString() =>
        $"{Finding.Readable(Before)} + {Finding.Readable(Unit)} again and again + {Finding.Readable(After)}";

    private static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}

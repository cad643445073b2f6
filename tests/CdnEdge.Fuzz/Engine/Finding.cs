using System.Security.Cryptography;
using System.Text;

namespace CdnEdge.Fuzz.Engine;

/// <summary>What can be wrong with a parser.</summary>
internal enum FindingKind
{
    /// <summary>It threw what it doesn't document, or a property doesn't hold.</summary>
    Threw,

    /// <summary>It didn't end.</summary>
    Hung,

    /// <summary>It took more of the processor than any input may.</summary>
    Slow,

    /// <summary>It allocated more than the input accounts for.</summary>
    Allocated,

    /// <summary>Its cost grows faster than the input.</summary>
    Superlinear,
}

/// <summary>An input that a parser doesn't cope with.</summary>
/// <param name="Target">The parser.</param>
/// <param name="Kind">What is wrong.</param>
/// <param name="Input">The input, as small as it could be made.</param>
/// <param name="Detail">How it shows.</param>
/// <param name="Repetition">Where the cost grows: what is repeated.</param>
internal sealed record Finding(FuzzTarget Target, FindingKind Kind, byte[] Input, string Detail, Repetition? Repetition = null)
{
    /// <summary>The name of its file in the corpus.</summary>
    internal string FileName
    {
        get
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Repetition?.ToFile() ?? Input).AsSpan(0, 6));
            return $"found-{Kind.ToString().ToLowerInvariant()}-{hash}{(Repetition is null ? "" : Repetition.Extension)}";
        }
    }

    public override string ToString() =>
        $"{Target.Name}: {Kind} by {(Repetition is null ? Readable(Input) : Repetition)}\n  {Detail}";

    /// <summary>Bytes as text that can be pasted into a C# literal.</summary>
    internal static string Readable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("\"");
        foreach (var b in bytes[..Math.Min(bytes.Length, 512)])
            text.Append(b switch { (byte)'"' => "\\\"", (byte)'\\' => "\\\\", >= 0x20 and < 0x7f => ((char)b).ToString(), _ => $"\\u{(int)b:x4}" });
        text.Append('"');
        return bytes.Length > 512 ? $"{text} and {bytes.Length - 512} bytes more" : text.ToString();
    }
}

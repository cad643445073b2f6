using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The Content-Range field of a single-part 206 or a 416 (RFC 9110 §14.4).</summary>
/// <param name="Range">The enclosed bytes.</param>
/// <param name="CompleteLength">The representation's length; null when <c>*</c>.</param>
internal readonly record struct ContentRange(ByteRange Range, long? CompleteLength)
{
    /// <summary>
    /// Parses <c>bytes 0-4/10</c> or <c>bytes 0-4/*</c>. False for an unsatisfied range (<c>bytes */10</c>), another unit,
    /// more than one line, and whatever §14.4 calls invalid: it encloses no bytes that could be used.
    /// </summary>
    internal static bool TryParse(StringValues value, out ContentRange contentRange)
    {
        contentRange = default;
        if (value.Count != 1)
            return false;

        var text = value[0].AsSpan().Trim(" \t");
        if (!text.StartsWith("bytes ", StringComparison.OrdinalIgnoreCase))
            return false;

        text = text["bytes ".Length..].TrimStart(" \t");
        var dash = text.IndexOf('-');
        var slash = text.IndexOf('/');
        if (dash < 0 || slash < dash
            || !TryParseNumber(text[..dash], out var first)
            || !TryParseNumber(text[(dash + 1)..slash], out var last)
            || first > last || last == long.MaxValue)
        {
            return false;
        }

        long? complete = null;
        if (text[(slash + 1)..] is not "*")
        {
            if (!TryParseNumber(text[(slash + 1)..], out var length) || length <= last)
                return false;
            complete = length;
        }

        contentRange = new ContentRange(new ByteRange(first, last - first + 1), complete);
        return true;
    }

    /// <summary><c>bytes 0-4/10</c>.</summary>
    internal static string Format(ByteRange range, long completeLength) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {range.Offset}-{range.End - 1}/{completeLength}");

    /// <summary><c>bytes */10</c>, for a 416.</summary>
    internal static string FormatUnsatisfied(long completeLength) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes */{completeLength}");

    private static bool TryParseNumber(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

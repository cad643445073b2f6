using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>What a Range field comes to for a representation of known length.</summary>
internal enum RangeOutcome
{
    /// <summary>Absent, malformed, another unit, or too many or overlapping ranges: answer with the whole (RFC 9110 §14.2).</summary>
    Ignore,
    /// <summary>416.</summary>
    Unsatisfiable,
    /// <summary>One or several ranges.</summary>
    Satisfiable,
}

/// <summary>The Range field (RFC 9110 §14).</summary>
internal static class RangeField
{
    /// <summary>Most ranges honoured in one request (more is the whole representation: CVE-2011-3192).</summary>
    internal const int MaxRanges = 16;

    private const string Unit = "bytes=";

    /// <summary>
    /// Resolves against <paramref name="length"/> bytes. The ranges come sorted, and those that overlap or touch are
    /// coalesced (RFC 9110 §14.2 lets a server do so); ranges past the end are dropped.
    /// </summary>
    /// <remarks>
    /// Nothing of an empty representation can be put into a Content-Range, so there any valid Range is ignored: some
    /// clients send <c>bytes=0-</c> with every request, and a 200 of no bytes serves them better than a 416.
    /// </remarks>
    internal static RangeOutcome Resolve(StringValues range, long length, out ByteRange[] ranges)
    {
        ranges = [];
        if (!TryTakeUnit(range, out var rest))
            return RangeOutcome.Ignore;

        Span<ByteRange> resolved = stackalloc ByteRange[MaxRanges];
        var (specs, count) = (0, 0);
        while (TryTakeMember(ref rest, out var spec))
        {
            if (++specs > MaxRanges || !TryParseSpec(spec, out var first, out var last))
                return RangeOutcome.Ignore;
            if (TryClip(first, last, length, out var clipped))
                resolved[count++] = clipped;
        }

        if (specs == 0 || length <= 0)
            return RangeOutcome.Ignore;
        if (count == 0)
            return RangeOutcome.Unsatisfiable;

        ranges = resolved[..Coalesce(resolved[..count])].ToArray();
        return RangeOutcome.Satisfiable;
    }

    /// <summary>
    /// A single range whose ends don't need the length: <c>bytes=a-b</c> or <c>bytes=a-</c> (<paramref name="last"/> null) or
    /// <c>bytes=-n</c> (<paramref name="first"/> null, <paramref name="last"/> the suffix's length, at least 1). False for
    /// anything else, positions beyond <see cref="long"/> included.
    /// </summary>
    internal static bool TryParseSingle(StringValues range, out long? first, out long? last)
    {
        (first, last) = (null, null);
        if (!TryTakeUnit(range, out var rest)
            || !TryTakeMember(ref rest, out var spec)
            || TryTakeMember(ref rest, out _)
            || !TryParseSpec(spec, out var a, out var b)
            || a == long.MaxValue || b == long.MaxValue || (a is null && b == 0))
        {
            return false;
        }

        (first, last) = (a, b);
        return true;
    }

    /// <summary>
    /// Whether an origin that answers each range by itself sends no byte of a representation much oftener than once: at most
    /// <see cref="MaxRanges"/>, of which those with both ends don't overlap, and one at most that reaches to the end. Other units
    /// than bytes are nobody's here to judge. (RangeAmp, "Overlapping Byte Ranges": Li et al., DSN 2020.)
    /// </summary>
    internal static bool IsModest(StringValues range)
    {
        if (range is [{ } line] && line.Contains('=', StringComparison.Ordinal) && !line.AsSpan().TrimStart(" \t").StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
            return true;
        if (!TryTakeUnit(range, out var rest))
            return false;

        Span<ByteRange> closed = stackalloc ByteRange[MaxRanges];
        var (count, open) = (0, 0);
        while (TryTakeMember(ref rest, out var spec))
        {
            if (!TryParseSpec(spec, out var first, out var last))
                return false;
            if (first is { } start && last is { } end)
            {
                if (count == MaxRanges)
                    return false;
                closed[count++] = new ByteRange(start, Math.Min(end, long.MaxValue - 1) - start + 1);
            }
            else if (++open > 1)
            {
                return false;
            }
        }

        return count + open is > 0 and <= MaxRanges && AreApart(closed[..count]);
    }

    private static bool AreApart(Span<ByteRange> ranges)
    {
        ranges.Sort(static (x, y) => x.Offset.CompareTo(y.Offset));
        for (var i = 1; i < ranges.Length; i++)
        {
            if (ranges[i].Offset < ranges[i - 1].End)
                return false;
        }

        return true;
    }

    /// <summary>Range isn't a list field: on two lines it's no valid Range.</summary>
    private static bool TryTakeUnit(StringValues range, out ReadOnlySpan<char> rest)
    {
        rest = range.Count == 1 ? range[0].AsSpan().Trim(" \t") : default;
        if (!rest.StartsWith(Unit, StringComparison.OrdinalIgnoreCase)) // RFC 9110 §14.1: unit names are case-insensitive
            return false;

        rest = rest[Unit.Length..];
        return true;
    }

    private static bool TryTakeMember(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> member)
    {
        rest = rest.TrimStart(" \t,"); // empty list members don't count, RFC 9110 §5.6.1
        var comma = rest.IndexOf(',');
        member = (comma < 0 ? rest : rest[..comma]).TrimEnd(" \t");
        rest = comma < 0 ? default : rest[comma..];
        return !member.IsEmpty;
    }

    /// <summary><c>a-b</c>, <c>a-</c> or <c>-n</c>; a first position after the last makes it invalid (§14.1.1).</summary>
    private static bool TryParseSpec(ReadOnlySpan<char> spec, out long? first, out long? last)
    {
        (first, last) = (null, null);
        var dash = spec.IndexOf('-');
        return dash >= 0
            && TryParsePosition(spec[..dash], out first)
            && TryParsePosition(spec[(dash + 1)..], out last)
            && (first is not null || last is not null)
            && !(first > last);
    }

    /// <summary>Digits or nothing; numbers beyond <see cref="long"/> are as good as its maximum.</summary>
    private static bool TryParsePosition(ReadOnlySpan<char> text, out long? position)
    {
        position = null;
        if (text.IsEmpty)
            return true;
        if (text.ContainsAnyExceptInRange('0', '9'))
            return false;

        position = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : long.MaxValue;
        return true;
    }

    private static bool TryClip(long? first, long? last, long length, out ByteRange clipped)
    {
        var offset = first ?? length - Math.Min(last!.Value, length);
        var end = first is not null && last < length - 1 ? last.Value + 1 : length;
        clipped = new ByteRange(offset, end - offset);
        return offset < end;
    }

    private static int Coalesce(Span<ByteRange> ranges)
    {
        ranges.Sort(static (x, y) => x.Offset.CompareTo(y.Offset));
        var last = 0;
        for (var i = 1; i < ranges.Length; i++)
        {
            if (ranges[i].Offset <= ranges[last].End)
                ranges[last] = ranges[last] with { Length = Math.Max(ranges[last].End, ranges[i].End) - ranges[last].Offset };
            else
                ranges[++last] = ranges[i];
        }

        return last + 1;
    }
}

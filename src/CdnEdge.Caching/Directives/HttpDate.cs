using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>Dates of HTTP (RFC 9110 §5.6.7): IMF-fixdate, RFC 850 and asctime.</summary>
/// <remarks>
/// Stricter than <see cref="DateTimeOffset.Parse(string)"/>, which takes zones, one-digit hours and missing commas that
/// RFC 9111 §5.3 wants treated as "already expired"; laxer than the grammar in letter case only. That the weekday fits
/// the date isn't checked: it adds nothing, and senders get it wrong.
/// </remarks>
internal static class HttpDate
{
    private const string Months = "JanFebMarAprMayJunJulAugSepOctNovDec";

    private static readonly string[] Weekdays =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    /// <summary>Parses one date; two-digit years are taken to be at most 50 years after <paramref name="now"/>.</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, DateTimeOffset now, out DateTimeOffset date)
    {
        text = text.Trim(" \t");
        date = default;
        var comma = text.IndexOf(',');
        if (comma < 0)
            return TryParseAsctime(text, out date);
        return comma == 3 ? TryParseFixdate(text, out date) : TryParseRfc850(text, comma, now, out date);
    }

    /// <summary>Parses a singleton field: more than one line is no date.</summary>
    internal static bool TryParse(StringValues lines, DateTimeOffset now, out DateTimeOffset date)
    {
        if (lines.Count == 1 && lines[0] is { } line)
            return TryParse(line.AsSpan(), now, out date);
        date = default;
        return false;
    }

    /// <summary>Sun, 06 Nov 1994 08:49:37 GMT</summary>
    private static bool TryParseFixdate(ReadOnlySpan<char> text, out DateTimeOffset date)
    {
        date = default;
        return text.Length == 29
            && IsWeekday(text[..3], abbreviated: true) && text[4] == ' '
            && TryDigits(text.Slice(5, 2), out var day) && text[7] == ' '
            && TryMonth(text.Slice(8, 3), out var month) && text[11] == ' '
            && TryDigits(text.Slice(12, 4), out var year) && text[16] == ' '
            && TryTime(text.Slice(17, 8), out var time)
            && text[25..].Equals(" GMT", StringComparison.OrdinalIgnoreCase)
            && TryCompose(year, month, day, time, out date);
    }

    /// <summary>Sunday, 06-Nov-94 08:49:37 GMT</summary>
    private static bool TryParseRfc850(ReadOnlySpan<char> text, int comma, DateTimeOffset now, out DateTimeOffset date)
    {
        date = default;
        if (!IsWeekday(text[..comma], abbreviated: false))
            return false;
        var rest = text[(comma + 1)..];
        if (rest.Length != 23
            || rest[0] != ' '
            || !TryDigits(rest.Slice(1, 2), out var day) || rest[3] != '-'
            || !TryMonth(rest.Slice(4, 3), out var month) || rest[7] != '-'
            || !TryDigits(rest.Slice(8, 2), out var year) || rest[10] != ' '
            || !TryTime(rest.Slice(11, 8), out var time)
            || !rest[19..].Equals(" GMT", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        // "appears to be more than 50 years in the future": the most recent year in the past with those digits.
        year += now.Year / 100 * 100;
        if (year < now.Year - 49)
            year += 100;
        if (year > now.Year + 50)
            year -= 100;
        return TryCompose(year, month, day, time, out date);
    }

    /// <summary>Sun Nov  6 08:49:37 1994</summary>
    private static bool TryParseAsctime(ReadOnlySpan<char> text, out DateTimeOffset date)
    {
        date = default;
        return text.Length == 24
            && IsWeekday(text[..3], abbreviated: true) && text[3] == ' '
            && TryMonth(text.Slice(4, 3), out var month) && text[7] == ' '
            && TryDigits(text[8] == ' ' ? text.Slice(9, 1) : text.Slice(8, 2), out var day) && text[10] == ' '
            && TryTime(text.Slice(11, 8), out var time) && text[19] == ' '
            && TryDigits(text.Slice(20, 4), out var year)
            && TryCompose(year, month, day, time, out date);
    }

    private static bool IsWeekday(ReadOnlySpan<char> text, bool abbreviated)
    {
        foreach (var name in Weekdays)
        {
            if (text.Equals(abbreviated ? name.AsSpan(0, 3) : name, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool TryMonth(ReadOnlySpan<char> text, out int month)
    {
        for (month = 1; month <= 12; month++)
        {
            if (text.Equals(Months.AsSpan((month - 1) * 3, 3), StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary>hh:mm:ss; a leap second (60) is allowed by the grammar.</summary>
    private static bool TryTime(ReadOnlySpan<char> text, out TimeSpan time)
    {
        time = default;
        if (!TryDigits(text[..2], out var hour) || text[2] != ':'
            || !TryDigits(text.Slice(3, 2), out var minute) || text[5] != ':'
            || !TryDigits(text.Slice(6, 2), out var second)
            || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }

        time = new TimeSpan(hour, minute, second);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<char> text, out int value)
    {
        value = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            value = value * 10 + (c - '0');
        }

        return true;
    }

    private static bool TryCompose(int year, int month, int day, TimeSpan time, out DateTimeOffset date)
    {
        date = default;
        if (year < 1 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        var midnight = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc);
        if (time > DateTime.MaxValue - midnight)
            return false; // the leap second after the last one there is
        date = new DateTimeOffset(midnight + time);
        return true;
    }
}

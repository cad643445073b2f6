namespace CdnEdge.Caching;

/// <summary>delta-seconds (RFC 9111 §1.2.2).</summary>
internal static class DeltaSeconds
{
    /// <summary>What every larger number counts as: "2147483648 (2^31)" (RFC 9111 §1.2.2), some 68 years.</summary>
    internal const long Max = 1L << 31;

    /// <summary>Digits only: no sign, no fraction, no space. Anything beyond <see cref="Max"/> becomes it.</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, out long seconds)
    {
        seconds = 0;
        if (text.IsEmpty)
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            seconds = Math.Min(Max, seconds * 10 + (c - '0'));
        }

        return true;
    }

    internal static TimeSpan ToTimeSpan(long seconds) =>
        TimeSpan.FromTicks(Math.Clamp(seconds, 0, Max) * TimeSpan.TicksPerSecond);
}

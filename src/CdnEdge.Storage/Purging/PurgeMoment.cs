using System.Globalization;

namespace CdnEdge.Storage;

/// <summary>
/// A position in a log of purges as one number: the milliseconds and the sequence of a Redis stream's id, 43 and 20 bits.
/// </summary>
internal static class PurgeMoment
{
    /// <summary>Positions that one millisecond has.</summary>
    internal const long InMillisecond = 1L << SequenceBits;

    private const int SequenceBits = 20;
    private const long MaxSequence = InMillisecond - 1;
    private const long MaxMilliseconds = (1L << (63 - SequenceBits)) - 1;

    /// <exception cref="ArgumentOutOfRangeException">A million purges in one millisecond, or a time after the year 2248.</exception>
    internal static long Of(long milliseconds, long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(milliseconds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(milliseconds, MaxMilliseconds);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequence, MaxSequence);
        return (milliseconds << SequenceBits) | sequence;
    }

    /// <summary>Reads <c>milliseconds-sequence</c>.</summary>
    internal static bool TryParse(ReadOnlySpan<char> id, out long moment)
    {
        moment = 0;
        var dash = id.IndexOf('-');
        if (dash < 0
            || !long.TryParse(id[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || !long.TryParse(id[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || milliseconds > MaxMilliseconds
            || sequence > MaxSequence)
        {
            return false;
        }

        moment = Of(milliseconds, sequence);
        return true;
    }

    /// <summary>As Redis writes it: <c>milliseconds-sequence</c>.</summary>
    internal static string Format(long moment) =>
        string.Create(CultureInfo.InvariantCulture, $"{moment >> SequenceBits}-{moment & MaxSequence}");
}

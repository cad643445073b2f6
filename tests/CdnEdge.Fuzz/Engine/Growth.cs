using System.Globalization;

namespace CdnEdge.Fuzz.Engine;

/// <summary>Whether the cost of a long repetition grows about as its length does.</summary>
/// <remarks>
/// By the thread's own time and the least of several runs, so that a busy machine changes nothing. From 8 to 64 KiB linear cost
/// grows by 8 and quadratic by 64; what lies below their middle passes, and so does what is cheap at 64 KiB anyway.
/// </remarks>
internal static class Growth
{
    internal const int Longest = 64 * 1024;

    private const int Shorter = 8 * 1024;
    private const int Shortest = 1024;
    private const double MostFactor = 22.6;
    private const int Tries = 3;

    /// <summary>Cost below which nobody can be hurt: a quadratic one at a nanosecond a step takes two seconds.</summary>
    private static readonly TimeSpan Cheap = TimeSpan.FromMilliseconds(5);

    internal static Finding? Of(Workbench bench, Repetition repetition)
    {
        var longest = repetition.Of(Longest);
        if (Judge.Of(bench, longest) is { Kind: not FindingKind.Slow } finding)
            return finding.Kind == FindingKind.Threw ? finding : finding with { Input = [], Repetition = repetition };
        if (!bench.Target.GrowsLinearly || Least(bench, longest, 1) < Cheap)
            return null;

        // Once could still be chance.
        var (atLongest, atShorter) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var i = 0; i < Tries; i++)
        {
            atLongest = Least(bench, longest, 3);
            atShorter = Least(bench, repetition.Of(Shorter), 10);
            if (atLongest < Cheap || atLongest < atShorter * MostFactor)
                return null;
        }

        var atShortest = Least(bench, repetition.Of(Shortest), 10);
        return new(bench.Target, FindingKind.Superlinear, [], string.Create(
            CultureInfo.InvariantCulture,
            $"{atShortest.TotalMilliseconds:0.000} ms for 1 KiB, {atShorter.TotalMilliseconds:0.000} ms for 8 KiB, {atLongest.TotalMilliseconds:0.000} ms for 64 KiB"),
            repetition);
    }

    private static TimeSpan Least(Workbench bench, byte[] input, int times)
    {
        var least = TimeSpan.MaxValue;
        for (var i = 0; i < times; i++)
        {
            var time = bench.Try(input).Time;
            least = time < least ? time : least;
        }

        return least;
    }
}

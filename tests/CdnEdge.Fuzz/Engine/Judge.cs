using System.Globalization;

namespace CdnEdge.Fuzz.Engine;

/// <summary>Whether a target copes with an input. What may have been chance (a page fault, a static table made at first use) has to happen three times.</summary>
internal static class Judge
{
    /// <summary>No input may take more of the processor, the slowest targets (a whole configuration) included.</summary>
    internal static readonly TimeSpan Most = TimeSpan.FromSeconds(1);

    private const int Times = 3;

    internal static Finding? Of(Workbench bench, byte[] input) => Of(bench, input, bench.Try(input));

    /// <param name="first">How it went.</param>
    internal static Finding? Of(Workbench bench, byte[] input, Trial first)
    {
        var target = bench.Target;
        if (first.Exception is { } exception)
            return new(target, FindingKind.Threw, input, exception.ToString());

        var best = first;
        for (var i = 1; i < Times && (best.Allocated > target.Allowance(input.Length) || best.Time > Most); i++)
        {
            var again = bench.Try(input);
            best = best with
            {
                Allocated = Math.Min(best.Allocated, again.Allocated),
                Time = best.Time < again.Time ? best.Time : again.Time,
            };
        }

        if (best.Allocated > target.Allowance(input.Length))
        {
            return new(target, FindingKind.Allocated, input, string.Create(
                CultureInfo.InvariantCulture, $"{best.Allocated} bytes allocated for {input.Length}; at most {target.Allowance(input.Length)}"));
        }

        return best.Time > Most
            ? new(target, FindingKind.Slow, input, string.Create(CultureInfo.InvariantCulture, $"{best.Time.TotalMilliseconds:0} ms of the processor for {input.Length} bytes"))
            : null;
    }
}

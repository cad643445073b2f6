using System.Globalization;

namespace CdnEdge.Benchmarks;

/// <summary>Durations, and what is said of them.</summary>
internal sealed class Percentiles
{
    private readonly List<TimeSpan> _all = [];

    internal void Add(TimeSpan duration) => _all.Add(duration);

    /// <summary>Median, 99th percentile and largest, in a unit.</summary>
    internal string In(string unit, double perSecond)
    {
        var sorted = _all.Order().ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"p50 {At(0.5),8:f2} {unit}   p99 {At(0.99),8:f2} {unit}   max {sorted[^1].TotalSeconds * perSecond,8:f2} {unit}   ({sorted.Count} times)");

        double At(double part) => sorted[(int)Math.Min(sorted.Count - 1, Math.Ceiling(part * sorted.Count) - 1)].TotalSeconds * perSecond;
    }
}

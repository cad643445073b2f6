namespace CdnEdge.Lab.Load;

internal static class Percentiles
{
    /// <summary>The smallest of the durations that at least this share (0 to 1) of them doesn't exceed (nearest rank); null: there are none.</summary>
    internal static TimeSpan? At(double share, IEnumerable<TimeSpan> durations)
    {
        var sorted = durations.Order().ToList();
        if (sorted.Count == 0)
            return null;
        // Without the rounding, 0.07 * 100 would be a little more than 7.
        var rank = (int)Math.Ceiling(Math.Round(share * sorted.Count, 6));
        return sorted[Math.Clamp(rank - 1, 0, sorted.Count - 1)];
    }
}

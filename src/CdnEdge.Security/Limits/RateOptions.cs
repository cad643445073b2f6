namespace CdnEdge.Security;

/// <summary>How much of something is let through: a bucket of tokens that fills steadily.</summary>
internal sealed class RateOptions
{
    /// <summary>So many in a second, in the long run: 0.001 to 1,000,000.</summary>
    public double PerSecond { get; set; }

    /// <summary>So many at once after a pause: 1 to 10,000,000. Null: those of two seconds.</summary>
    public int? Burst { get; set; }

    internal int EffectiveBurst => Burst ?? (int)Math.Clamp(Math.Ceiling(PerSecond * 2), 1, 10_000_000);

    internal IEnumerable<string> Errors(string path)
    {
        if (PerSecond is < 0.001 or > 1_000_000)
            yield return $"{path}:PerSecond: {PerSecond} is not between 0.001 and 1,000,000; such as 50";
        if (Burst is < 1 or > 10_000_000)
            yield return $"{path}:Burst: {Burst} is not between 1 and 10,000,000; such as 100";
    }
}

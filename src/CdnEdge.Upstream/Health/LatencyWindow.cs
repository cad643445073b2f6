namespace CdnEdge.Upstream.Health;

/// <summary>The latest times to first byte, and their percentiles: exact over what it holds, recomputed now and then.</summary>
internal sealed class LatencyWindow
{
    /// <summary>Samples that are held.</summary>
    internal const int Capacity = 256;

    /// <summary>With fewer nothing is said of percentiles.</summary>
    internal const int Least = 20;

    /// <summary>So many new samples, and the percentiles are computed anew: of a full window a quarter, which is what can move them.</summary>
    private const int RefreshEvery = Capacity / 4;

    /// <summary>The same, while the window fills.</summary>
    private const int RefreshEveryOfFew = 16;

    private readonly Lock _lock = new();
    private readonly float[] _samples = new float[Capacity];
    private float[] _sorted = [];
    private long _count;

    /// <summary>How many samples it has ever got.</summary>
    internal long Count => Volatile.Read(ref _count);

    internal void Add(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _samples[_count % Capacity] = (float)elapsed.TotalMilliseconds;
            _count++;
            if (_count < Least || (_count > Least && _count % (_count < Capacity ? RefreshEveryOfFew : RefreshEvery) != 0))
                return;
            var sorted = _samples.AsSpan(0, (int)Math.Min(_count, Capacity)).ToArray();
            Array.Sort(sorted);
            Volatile.Write(ref _sorted, sorted);
        }
    }

    /// <summary>Null: too few samples.</summary>
    /// <param name="percentile">0 to 100.</param>
    internal TimeSpan? Percentile(double percentile)
    {
        var sorted = Volatile.Read(ref _sorted);
        return sorted.Length < Least ? null : TimeSpan.FromMilliseconds(sorted[(int)Math.Min(sorted.Length - 1, sorted.Length * percentile / 100)]);
    }

    /// <summary>Forgets what it knows: what is measured from here on is another thing.</summary>
    internal void Clear()
    {
        lock (_lock)
        {
            _count = 0;
            Volatile.Write(ref _sorted, []);
        }
    }
}

namespace CdnEdge.Storage;

/// <summary>
/// Which moment it was at which time, as far back as it remembers: to judge what another place fetched, whose moments are another log's,
/// so that only the time since then can be told. Where it isn't sure it says an earlier moment, which at worst costs a fetch.
/// </summary>
internal sealed class PurgeTimes(TimeProvider time)
{
    /// <summary>Changes that are remembered one by one.</summary>
    internal const int Capacity = 4096;

    /// <summary>Changes that come faster than this become one.</summary>
    internal static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Change[] _changes = new Change[Capacity];
    private long _count;

    /// <summary>The moment has become this one.</summary>
    internal void Record(long moment)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            ref var last = ref _changes[Math.Max(0, _count - 1) % Capacity];
            if (_count > 0 && now - last.First < Granularity)
            {
                // At the later time: what was fetched between the two counts as fetched before both.
                last = last with { Last = now, Moment = Math.Max(last.Moment, moment) };
                return;
            }

            _changes[_count++ % Capacity] = new Change(now, now, moment);
        }
    }

    /// <summary>The moment at that time, or one before it.</summary>
    internal long At(DateTimeOffset instant)
    {
        lock (_lock)
        {
            for (var i = _count - 1; i >= 0 && i >= _count - Capacity; i--)
            {
                if (_changes[i % Capacity] is var change && change.Last <= instant)
                    return change.Moment;
            }

            return 0;
        }
    }

    private readonly record struct Change(DateTimeOffset First, DateTimeOffset Last, long Moment);
}

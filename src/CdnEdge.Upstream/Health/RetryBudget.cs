namespace CdnEdge.Upstream.Health;

/// <summary>
/// How many retries and hedged requests a cluster gets: a share of its recent requests. A cluster that is ill gets hardly more than
/// it would if it were well.
/// </summary>
internal sealed class RetryBudget(TimeProvider time)
{
    /// <summary>What counts as recent.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private const int Slots = 10;

    private readonly Lock _lock = new();
    private readonly long[] _seconds = new long[Slots];
    private readonly int[] _requests = new int[Slots];
    private readonly int[] _retries = new int[Slots];

    /// <summary>A request that is no retry.</summary>
    internal void OnRequest()
    {
        lock (_lock)
            _requests[Slot()]++;
    }

    /// <summary>Whether another retry is within the budget, which has it then.</summary>
    /// <param name="share">Of the requests in <see cref="Window"/>.</param>
    /// <param name="minimum">However few those are.</param>
    internal bool TryTake(double share, int minimum)
    {
        lock (_lock)
        {
            var slot = Slot();
            var oldest = _seconds[slot] - Slots;
            long requests = 0, retries = 0;
            for (var i = 0; i < Slots; i++)
            {
                if (_seconds[i] <= oldest)
                    continue;
                requests += _requests[i];
                retries += _retries[i];
            }

            if (retries + 1 > Math.Max(minimum, requests * share))
                return false;
            _retries[slot]++;
            return true;
        }
    }

    private int Slot()
    {
        var second = time.GetTimestamp() / time.TimestampFrequency;
        var slot = (int)(second % Slots);
        if (_seconds[slot] != second)
        {
            _seconds[slot] = second;
            _requests[slot] = 0;
            _retries[slot] = 0;
        }

        return slot;
    }
}

using System.Diagnostics;

namespace CdnEdge.Security;

/// <summary>
/// How near the node is to its limits: 0 nothing to do, 1 at a limit. Looked at four times a second, for who asks can't wait for it.
/// </summary>
internal sealed class NodeLoad : IDisposable
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly LimitOptions _limits;
    private readonly TimeProvider _time;
    private readonly Action<Action> _queue;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private double _memory;
    private double _delay;
    private long? _askedAt;

    /// <param name="limits">The limits.</param>
    /// <param name="time">The time.</param>
    /// <param name="queue">Has something done in its turn; null: by the thread pool.</param>
    internal NodeLoad(LimitOptions limits, TimeProvider time, Action<Action>? queue = null)
    {
        (_limits, _time) = (limits, time);
        _queue = queue ?? (static work => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false));
        _timer = time.CreateTimer(static load => ((NodeLoad)load!).Look(), this, Interval, Interval);
    }

    /// <summary>The highest of memory's and the thread pool's.</summary>
    internal double Level => Math.Max(Volatile.Read(ref _memory), Volatile.Read(ref _delay));

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        Volatile.Write(ref _memory, MemoryShare() / _limits.Memory);

        // Work is done in turn: how long this waits everything waits. What the last one waited counts until this one has waited longer, or has had
        // its turn.
        lock (_lock)
        {
            if (_askedAt is { } asked)
            {
                _delay = Math.Max(_delay, _time.GetElapsedTime(asked) / _limits.QueueDelay);
                return;
            }

            _askedAt = _time.GetTimestamp();
        }

        _queue(OnTurn);
    }

    private void OnTurn()
    {
        lock (_lock)
        {
            _delay = _time.GetElapsedTime(_askedAt!.Value) / _limits.QueueDelay;
            _askedAt = null;
        }
    }

    /// <summary>Of what the process may use (a container's limit, else the machine's memory), so much is in use.</summary>
    private static double MemoryShare()
    {
        using var process = Process.GetCurrentProcess();
        return (double)process.WorkingSet64 / GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }
}

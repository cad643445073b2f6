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
    private readonly ITimer _timer;
    private double _level;
    private long _askedAt;
    private int _isAsked;

    internal NodeLoad(LimitOptions limits, TimeProvider time)
    {
        (_limits, _time) = (limits, time);
        _timer = time.CreateTimer(static load => ((NodeLoad)load!).Look(), this, Interval, Interval);
    }

    /// <summary>The highest of memory's and the thread pool's.</summary>
    internal double Level => Volatile.Read(ref _level);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // The pool's threads take work in turn: how long this waits everything waits.
        var now = _time.GetTimestamp();
        var waited = TimeSpan.Zero;
        if (Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            Volatile.Write(ref _askedAt, now);
            ThreadPool.UnsafeQueueUserWorkItem(static load => load.OnTurn(), this, preferLocal: false);
        }
        else
        {
            waited = _time.GetElapsedTime(Volatile.Read(ref _askedAt), now);
        }

        Update(waited);
    }

    private void OnTurn()
    {
        Update(_time.GetElapsedTime(Volatile.Read(ref _askedAt)));
        Volatile.Write(ref _isAsked, 0);
    }

    private void Update(TimeSpan waited) => Volatile.Write(ref _level, Math.Max(MemoryShare() / _limits.Memory, waited / _limits.QueueDelay));

    /// <summary>Of what the process may use (a container's limit, else the machine's memory), so much is in use.</summary>
    private static double MemoryShare()
    {
        using var process = Process.GetCurrentProcess();
        return (double)process.WorkingSet64 / GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }
}

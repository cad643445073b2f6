using Microsoft.Extensions.ObjectPool;

namespace CdnEdge.Upstream.Calls;

/// <summary>Calls an attempt off with its caller, and when the head of its response is late.</summary>
internal sealed class FirstByteTimer : CancellationTokenSource, IResettable
{
    private static readonly ObjectPool<FirstByteTimer> Pool = ObjectPool.Create<FirstByteTimer>();

    private CancellationTokenRegistration _caller;

    public FirstByteTimer()
    {
    }

    private FirstByteTimer(TimeSpan timeout, TimeProvider time)
        : base(timeout, time)
    {
    }

    /// <summary>Starts one. It goes back with <see cref="Return"/>.</summary>
    internal static FirstByteTimer Rent(TimeSpan timeout, TimeProvider time, CancellationToken caller)
    {
        FirstByteTimer timer;
        if (time == TimeProvider.System)
        {
            timer = Pool.Get();
            timer.CancelAfter(timeout);
        }
        else
        {
            timer = new FirstByteTimer(timeout, time); // Which the pool can't reset.
        }

        timer._caller = caller.UnsafeRegister(static source => ((FirstByteTimer)source!).Cancel(), timer);
        return timer;
    }

    internal void Return()
    {
        _caller.Dispose();
        Pool.Return(this);
    }
}

namespace CdnEdge.Delivery.Tests.Serving;

/// <summary>Runs what gives way only when told to.</summary>
internal sealed class Turns : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _waiting = new();

    public override void Post(SendOrPostCallback d, object? state) => _waiting.Enqueue((d, state));

    internal T Start<T>(Func<T> start) => Inside(start);

    /// <summary>How many turns were given.</summary>
    internal int RunAll() => Inside(() =>
    {
        var count = 0;
        for (; _waiting.TryDequeue(out var next); count++)
        {
            next.Callback(next.State);
        }

        return count;
    });

    private T Inside<T>(Func<T> run)
    {
        var outside = Current;
        SetSynchronizationContext(this);
        try
        {
            return run();
        }
        finally
        {
            SetSynchronizationContext(outside);
        }
    }
}

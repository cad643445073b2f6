using System.Diagnostics;

namespace CdnEdge.Fuzz.Engine;

/// <summary>One run of a target on one input.</summary>
/// <param name="Outcome">What the target said of it.</param>
/// <param name="Time">Of the processor.</param>
/// <param name="Allocated">Bytes.</param>
/// <param name="Exception">What it threw.</param>
internal readonly record struct Trial(int Outcome, TimeSpan Time, long Allocated, Exception? Exception);

/// <summary>Where a target is run and measured; others can see which input it's at, and since when.</summary>
internal sealed class Workbench(FuzzTarget target)
{
    private byte[]? _current;
    private long _begun;

    internal FuzzTarget Target => target;

    internal Trial Try(byte[] input)
    {
        Exception? thrown = null;
        var outcome = 0;
        Volatile.Write(ref _begun, Stopwatch.GetTimestamp());
        Volatile.Write(ref _current, input);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var time = ThreadClock.Now;
        try
        {
            outcome = target.Run(input);
        }
#pragma warning disable CA1031 // Whatever it is, it's the finding.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            thrown = exception;
        }

        time = ThreadClock.Now - time;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Volatile.Write(ref _current, null);
        return new(outcome, time, allocated, thrown);
    }

    /// <summary>The input that has been under way for longer than that; null: none.</summary>
    internal byte[]? Overdue(TimeSpan patience)
    {
        var current = Volatile.Read(ref _current);
        return current is not null && Stopwatch.GetElapsedTime(Volatile.Read(ref _begun)) > patience && ReferenceEquals(current, Volatile.Read(ref _current))
            ? current
            : null;
    }
}

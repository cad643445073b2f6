namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A gate between a test and its origin: one side waits, the other opens.</summary>
internal sealed class Signal(string name)
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Open() => _opened.TrySetResult();

    internal Task Opened() => Deadline.Within(_opened.Task, name);
}

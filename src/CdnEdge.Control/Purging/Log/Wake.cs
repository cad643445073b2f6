namespace CdnEdge.Control;

/// <summary>A bell: whoever waits goes on when it rings.</summary>
internal sealed class Wake
{
    private volatile TaskCompletionSource _next = New();

    /// <summary>Completes when it rings next.</summary>
    internal Task Next => _next.Task;

    internal void Ring() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    /// <summary>Returns when it rings, or after a while.</summary>
    /// <param name="next">What <see cref="Next"/> was before the caller looked for news, so that none is missed.</param>
    /// <param name="atMost">The while.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    internal static async Task WaitAsync(Task next, TimeSpan atMost, CancellationToken cancellation) =>
        await next.WaitAsync(atMost, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

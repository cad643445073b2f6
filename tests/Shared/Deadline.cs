using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace CdnEdge.Testing;

/// <summary>
/// How long anything may take before a test gives up. Generous: it isn't a measure of speed, it only turns a hang on
/// a busy machine into a failure that says what was waited for.
/// </summary>
internal static class Deadline
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    internal static async Task Within(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"After {Patience.TotalSeconds:0} s still waiting for: {what}");
        }
    }

    internal static async Task<T> Within<T>(Task<T> task, string what)
    {
        await Within((Task)task, what);
        return await task;
    }

    /// <summary>Asks again and again until it holds.</summary>
    internal static Task Until(Func<bool> holds, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        Until(() => Task.FromResult(holds()), what);

    /// <inheritdoc cref="Until(Func{bool}, string)"/>
    internal static async Task Until(Func<Task<bool>> holds, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        var asked = Stopwatch.StartNew();
        while (!await holds())
        {
            if (asked.Elapsed > Patience)
                throw new TimeoutException($"After {Patience.TotalSeconds:0} s still not: {what}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}

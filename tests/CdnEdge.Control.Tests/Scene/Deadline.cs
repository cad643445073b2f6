using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace CdnEdge.Control.Tests.Scene;

/// <summary>How long anything may take before a test gives up: generous, it only turns a hang into a failure.</summary>
internal static class Deadline
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

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
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}

using System.Globalization;

namespace CdnEdge.Lab.Scenarios;

/// <summary>What is asked of each phase.</summary>
internal static class Bars
{
    private static readonly TimeSpan FailoverLimit = TimeSpan.FromSeconds(1);

    internal static IEnumerable<Bar> Of(Step step, PhaseFigures phase)
    {
        yield return Make(phase, $"{phase.HeldErrors} errors for what is held (bar: 0)", phase.HeldErrors == 0);
        if (step.SparesMisses)
        {
            yield return Make(
                phase,
                $"{phase.MissErrors} errors of misses beyond those under way at the fault (bar: 0; under way: {phase.MissErrorsUnderWay})",
                phase.MissErrors == 0);
        }

        if (step.IsGone)
            yield return Make(phase, $"{phase.UnclearErrors} of {phase.MissErrors} failed misses without Retry-After and Proxy-Status (bar: 0)", phase.UnclearErrors == 0);

        foreach (var (group, reached) in phase.Groups)
        {
            yield return Make(
                phase,
                $"{reached} requests reached {group} (bar: {phase.Limit} = 1.1 x {phase.Implied} fills + {phase.Budget} of the retry budget)",
                reached <= phase.Limit);
        }

        if (step.Next is not null)
        {
            yield return Make(phase, $"failed over: {(phase.FailedOver is null ? "never" : "yes")}", phase.FailedOver is not null);
            yield return Make(phase, $"failed over after {Text(phase.FailedOver)} (bar: 1000 ms)", phase.FailedOver < FailoverLimit, dependsOnSpeed: true);
        }

        if (step.Back is not null)
            yield return Make(phase, $"failed back: {(phase.FailedBack is null ? "never" : "yes")}", phase.FailedBack is not null);
    }

    internal static string Text(TimeSpan? duration) =>
        duration is { } some ? string.Create(CultureInfo.InvariantCulture, $"{some.TotalMilliseconds:0.0} ms") : "-";

    private static Bar Make(PhaseFigures phase, FormattableString what, bool isMet, bool dependsOnSpeed = false) =>
        new($"{phase.Name}: {FormattableString.Invariant(what)}", isMet, dependsOnSpeed);
}

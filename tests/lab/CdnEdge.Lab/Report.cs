using System.Globalization;
using System.Text;
using CdnEdge.Lab.Scenarios;

namespace CdnEdge.Lab;

/// <summary>A scenario's figures as text.</summary>
internal static class Report
{
    private const int MostErrors = 6;

    internal static string Of(Outcome outcome)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"({outcome.Scenario.Id}) {outcome.Scenario.Title}\n\n");
        var origins = outcome.Phases[0].Reached.Keys.ToList();
        text.Append("  phase                        requests  errors: held  miss  under way   p50 ms   p99 ms  of misses: p50      p99 ");
        foreach (var origin in origins)
            text.Append(CultureInfo.InvariantCulture, $" {origin,10}");
        text.Append("  again  most at once  implied\n");
        foreach (var phase in outcome.Phases)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {phase.Name,-28} {phase.Requests,8} {phase.HeldErrors,13} {phase.MissErrors,5} {phase.MissErrorsUnderWay,10} ");
            text.Append(CultureInfo.InvariantCulture, $"{Ms(phase.P50),8} {Ms(phase.P99),8} {Ms(phase.MissP50),15} {Ms(phase.MissP99),8} ");
            foreach (var origin in origins)
                text.Append(CultureInfo.InvariantCulture, $" {phase.Reached[origin],10}");
            text.Append(CultureInfo.InvariantCulture, $" {phase.Again,6} {phase.MaxInFlight,13} {phase.Implied,8}\n");
        }

        text.Append('\n');
        foreach (var phase in outcome.Phases)
        {
            if (phase.SlowestAtFirst is { } slowest)
                text.Append(CultureInfo.InvariantCulture, $"  {phase.Name}: first answer of the next source after {Bars.Text(phase.FailedOver)}, slowest miss of the first second {Bars.Text(slowest)}\n");
            if (phase.FailedBack is { } back)
                text.Append(CultureInfo.InvariantCulture, $"  {phase.Name}: first answer of who returned after {Bars.Text(back)}\n");
            foreach (var error in phase.Errors.Take(MostErrors))
                text.Append(CultureInfo.InvariantCulture, $"  {phase.Name}: {error}\n");
        }

        foreach (var bar in outcome.Bars)
            text.Append(bar.Line);
        return text.ToString();
    }

    /// <summary>Each request in the order in which they were due, with tabs between: when (s), phase, kind, object, node, ms, status, origin, age, Cache-Status, error.</summary>
    internal static IEnumerable<string> Lines(Outcome outcome) =>
        from sample in outcome.Samples
        orderby sample.Due
        let phase = outcome.Phases.LastOrDefault(phase => phase.Began <= sample.Due)?.Name ?? "warming"
        let answer = sample.Answer
        select string.Create(
            CultureInfo.InvariantCulture,
            $"{sample.Due.TotalSeconds:0.000}\t{phase}\t{sample.Kind}\t{sample.Number}\t{sample.Node}\t{sample.Latency.TotalMilliseconds:0.0}\t{answer.Status}\t{answer.Origin}\t{answer.Age}\t{answer.CacheStatus}\t{answer.Error}");

    private static string Ms(TimeSpan? duration) =>
        duration is { } some ? some.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture) : "-";
}

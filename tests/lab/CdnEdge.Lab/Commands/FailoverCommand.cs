using System.Globalization;
using CdnEdge.Lab.Scenarios;

namespace CdnEdge.Lab.Commands;

/// <summary>The scenarios of failover, one after the other.</summary>
internal static class FailoverCommand
{
    private const string Text = """
        usage: failover.sh [--seconds N] [--only a,b,...] [--rate N] [--logs] [--samples FOLDER]
          --seconds N   each phase of a scenario; 2 to 600, by default 20
          --only a,b    these scenarios, of a to g
          --rate N      requests a second; 1 to 5000, by default 200
          --logs        the nodes' logs too, of a scenario in which something was missed
          --samples F   every request as a line of F/a.tsv, F/b.tsv, ...
        """;

    /// <summary>The exit status: 0 if every bar is met.</summary>
    internal static async Task<int> RunAsync(string[] arguments)
    {
        var tuning = new Tuning();
        var scenarios = AllScenarios.List;
        var logs = false;
        string? samples = null;
        if (Usage.Options(arguments, "--logs") is not { } options)
            return Usage.Of(Text);
        foreach (var (option, value) in options)
        {
            switch (option)
            {
                case "--seconds" when Usage.Number(value) is >= 2 and <= 600 and var seconds: tuning = tuning with { Phase = TimeSpan.FromSeconds(seconds) }; break;
                case "--rate" when Usage.Number(value) is >= 1 and <= 5000 and var rate: tuning = tuning with { Rate = rate }; break;
                case "--only" when value.Split(',').All(static id => AllScenarios.List.Any(scenario => scenario.Id == id)):
                    scenarios = [.. AllScenarios.List.Where(scenario => value.Split(',').Contains(scenario.Id))];
                    break;
                case "--logs": logs = true; break;
                case "--samples" when Directory.Exists(value): samples = value; break;
                default: return Usage.Of(Text);
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{tuning.Rate:0} requests a second, phases of {tuning.Phase.TotalSeconds:0} s, {Environment.ProcessorCount} cores\n"));
        var missed = 0;
        foreach (var scenario in scenarios)
        {
            var outcome = await ScenarioRun.RunAsync(scenario, tuning);
            Console.WriteLine(Report.Of(outcome));
            if (samples is not null)
                await File.WriteAllLinesAsync(Path.Combine(samples, $"{scenario.Id}.tsv"), Report.Lines(outcome));
            var missedHere = outcome.Bars.Count(static bar => !bar.IsMet);
            if (missedHere > 0 && logs)
                Console.WriteLine(outcome.Logs);
            missed += missedHere;
        }

        return Usage.Conclude(missed);
    }
}

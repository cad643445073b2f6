using System.Globalization;
using CdnEdge.Lab;
using CdnEdge.Lab.Scenarios;

const string Usage = """
    usage: failover.sh [--seconds N] [--only a,b,...] [--rate N] [--logs] [--samples FOLDER]
      --seconds N   each phase of a scenario; 2 to 600, by default 20
      --only a,b    these scenarios, of a to g
      --rate N      requests a second; 1 to 5000, by default 200
      --logs        the nodes' logs too, of a scenario in which something was missed
      --samples F   every request as a line of F/a.tsv, F/b.tsv, ...
    """;

var tuning = new Tuning();
var scenarios = AllScenarios.List;
var logs = false;
string? samples = null;
for (var i = 0; i < args.Length; i++)
{
    var value = args[i] == "--logs" || i + 1 >= args.Length ? "" : args[++i];
    var number = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1;
    switch (args[i - (value.Length > 0 ? 1 : 0)])
    {
        case "--seconds" when number is >= 2 and <= 600: tuning = tuning with { Phase = TimeSpan.FromSeconds(number) }; break;
        case "--rate" when number is >= 1 and <= 5000: tuning = tuning with { Rate = number }; break;
        case "--only" when value.Split(',').All(id => AllScenarios.List.Any(scenario => scenario.Id == id)):
            scenarios = [.. AllScenarios.List.Where(scenario => value.Split(',').Contains(scenario.Id))];
            break;
        case "--logs": logs = true; break;
        case "--samples" when Directory.Exists(value): samples = value; break;
        default:
            await Console.Error.WriteLineAsync(Usage);
            return 2;
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

Console.WriteLine(missed == 0 ? "all bars met" : $"{missed} bars missed");
return missed == 0 ? 0 : 1;

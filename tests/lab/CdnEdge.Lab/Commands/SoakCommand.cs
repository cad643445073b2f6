using System.Globalization;
using CdnEdge.Lab.Soak;

namespace CdnEdge.Lab.Commands;

/// <summary>Everything at once for long.</summary>
internal static class SoakCommand
{
    private const string Text = """
        usage: soak.sh [--seconds N] [--rate N] [--attackers N] [--log]
          --seconds N     all of it; 30 to 86400, by default 900
          --rate N        visits a second; 1 to 5000, by default 200
          --attackers N   of each kind; 1 to 10, by default 2
          --log           the node's log too, if something was missed
        """;

    /// <summary>The exit status: 0 if every bar is met.</summary>
    internal static async Task<int> RunAsync(string[] arguments)
    {
        var tuning = new SoakTuning();
        var log = false;
        if (Usage.Options(arguments, "--log") is not { } options)
            return Usage.Of(Text);
        foreach (var (option, value) in options)
        {
            switch (option)
            {
                case "--seconds" when Usage.Number(value) is >= 30 and <= 86_400 and var seconds: tuning = tuning with { Duration = TimeSpan.FromSeconds(seconds) }; break;
                case "--rate" when Usage.Number(value) is >= 1 and <= 5000 and var rate: tuning = tuning with { Rate = rate }; break;
                case "--attackers" when Usage.Number(value) is >= 1 and <= 10 and var attackers: tuning = tuning with { Attackers = attackers }; break;
                case "--log": log = true; break;
                default: return Usage.Of(Text);
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{tuning.Rate:0} visits a second for {tuning.Duration.TotalSeconds:0} s, {tuning.Attackers} attackers of each of {Attacks.List.Count} kinds, {Environment.ProcessorCount} cores\n"));
        var outcome = await SoakRun.RunAsync(tuning, Console.WriteLine);
        Console.WriteLine(outcome);
        var missed = outcome.Bars.Count(static bar => !bar.IsMet);
        if (missed > 0 && log)
            Console.WriteLine(outcome.Log);
        return Usage.Conclude(missed);
    }
}

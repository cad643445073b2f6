using System.Globalization;
using CdnEdge.Lab.Crowd;
using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Commands;

/// <summary>Many connections, over each protocol in turn.</summary>
internal static class CrowdCommand
{
    private const string Text = """
        usage: crowd.sh [--idle N] [--active N] [--seconds N] [--only plain,tls,http2]
          --idle N      connections on which nothing happens; 1 to 15000, by default 10000
          --active N    connections that ask twice a second; 1 to 4000, by default 1000
          --seconds N   how long each is measured, without the idle ones and with them; 2 to 60, by default 20
          --only ...    these protocols; by default all three
        """;

    /// <summary>The exit status: 0 if every bar is met.</summary>
    internal static async Task<int> RunAsync(string[] arguments)
    {
        var tuning = new CrowdTuning();
        var protocols = Enum.GetValues<Protocol>();
        if (Usage.Options(arguments) is not { } options)
            return Usage.Of(Text);
        foreach (var (option, value) in options)
        {
            switch (option)
            {
                case "--idle" when Usage.Number(value) is >= 1 and <= 15_000 and var idle: tuning = tuning with { Idle = idle }; break;
                case "--active" when Usage.Number(value) is >= 1 and <= 4000 and var active: tuning = tuning with { Active = active }; break;
                case "--seconds" when Usage.Number(value) is >= 2 and <= 60 and var seconds: tuning = tuning with { Measuring = TimeSpan.FromSeconds(seconds) }; break;
                case "--only" when value.Split(',').All(static name => Enum.GetNames<Protocol>().Contains(name, StringComparer.OrdinalIgnoreCase)):
                    protocols = [.. value.Split(',').Select(static name => Enum.Parse<Protocol>(name, ignoreCase: true))];
                    break;
                default: return Usage.Of(Text);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, shared by node and clients\n"));
        var missed = 0;
        foreach (var protocol in protocols)
        {
            var outcome = await CrowdRun.RunAsync(protocol, tuning);
            Console.WriteLine(outcome);
            missed += outcome.Bars.Count(static bar => !bar.IsMet);
        }

        return Usage.Conclude(missed);
    }
}

using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Scenarios;

/// <summary>One scenario with processes of its own, from their start to the figures.</summary>
internal sealed class ScenarioRun : IAsyncDisposable
{
    private readonly Tuning _tuning;
    private readonly Topology _lab;
    private readonly OpenLoop _load;
    private readonly Catalogue _catalogue;
    private readonly List<Phase> _phases = [];

    private ScenarioRun(Scenario scenario, Tuning tuning, Topology lab)
    {
        _tuning = tuning;
        _lab = lab;
        _catalogue = scenario.ExpiresAtOnce
            ? new Catalogue(tuning, seed: 1) { Expiring = tuning.Expired, ExpiringShare = 0.5, MissShare = 0.1, InTurn = true }
            : new Catalogue(tuning, seed: 1);
        _load = new OpenLoop([.. lab.Nodes.Select(static node => node.Address)], _catalogue);
    }

    /// <summary>A step as it went: moments of the load's clock, and what had reached each origin when it began.</summary>
    internal sealed record Phase(Step Step, TimeSpan Began, TimeSpan Acted, TimeSpan Ended, IReadOnlyDictionary<string, long> Reached, int MaxInFlight);

    internal static async Task<Outcome> RunAsync(Scenario scenario, Tuning tuning)
    {
        await using var lab = await Topology.StartAsync(tuning);
        await using var run = new ScenarioRun(scenario, tuning, lab);
        await run._load.WarmAsync(misses: 100);
        run._load.Start(tuning.Rate);
        foreach (var step in scenario.Steps)
            run._phases.Add(await run.StepAsync(step));
        await run._load.StopAsync();

        var figures = new Figures(tuning, lab.Askers, run._load, run._phases);
        var logs = string.Join('\n', lab.Nodes.Append(lab.Shield!).Select(static node => $"-- {node.Name}\n{node.Output}"));
        var phases = run._phases.Select(figures.Of).ToList();
        return new Outcome(scenario, phases, [.. run._phases.Zip(phases).SelectMany(pair => Bars.Of(pair.First.Step, pair.Second))], logs);
    }

    public ValueTask DisposeAsync() => _load.DisposeAsync();

    private async Task<Phase> StepAsync(Step step)
    {
        var before = await ReachedAsync();
        var began = _load.Now;
        if (step.Act is not null)
            await step.Act(_lab);
        var acted = _load.Now;
        var rest = Task.Delay(_tuning.Phase);
        if (step.IsBurst)
            await _load.BurstAsync(_tuning.Phase / 4);
        await rest;

        var after = await ReachedAsync();
        return new Phase(
            step,
            began,
            acted,
            _load.Now,
            after.ToDictionary(static origin => origin.Key, origin => origin.Value - before[origin.Key]),
            await MaxInFlightAsync());
    }

    private async Task<Dictionary<string, long>> ReachedAsync()
    {
        var reached = new Dictionary<string, long>();
        foreach (var origin in _lab.Origins)
            reached[origin.Name] = await origin.CountAsync();
        return reached;
    }

    private async Task<int> MaxInFlightAsync()
    {
        var max = 0;
        foreach (var origin in _lab.Origins)
            max = Math.Max(max, await origin.TakeMaxInFlightAsync());
        return max;
    }
}

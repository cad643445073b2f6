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

    /// <summary>A step as it went: moments of the load's clock.</summary>
    /// <param name="Reached">Requests that reached each origin.</param>
    /// <param name="Again">Those of them for an object that isn't held, and that an origin has been asked for already.</param>
    /// <param name="MaxInFlight">The most that an origin had at once.</param>
    internal sealed record Phase(
        Step Step, TimeSpan Began, TimeSpan Acted, TimeSpan Ended, IReadOnlyDictionary<string, long> Reached, long Again, int MaxInFlight);

    internal static async Task<Outcome> RunAsync(Scenario scenario, Tuning tuning)
    {
        await using var lab = await Topology.StartAsync(tuning);
        await using var run = new ScenarioRun(scenario, tuning, lab);
        await run._load.WarmAsync(misses: 100);
        run._load.Start(tuning.Rate);
        // What was fetched by cold code, by two nodes at once, or without a Redis that seemed slow, expires before anything counts.
        await Task.Delay(TimeSpan.FromSeconds(tuning.ExpiringTtl + 1));
        await run.MaxInFlightAsync();
        await run.ReachedAsync(); // For the first time it takes long, and the origins are counted at the instant at which a phase begins.
        foreach (var step in scenario.Steps)
            run._phases.Add(await run.StepAsync(step));
        await run._load.StopAsync();

        var figures = new Figures(tuning, lab.Askers, run._load, run._phases);
        var logs = string.Join('\n', lab.Nodes.Append(lab.Shield!).Select(static node => $"-- {node.Name}\n{node.Output}"));
        var phases = figures.OfAll(run._phases);
        return new Outcome(
            scenario, phases, [.. run._phases.Zip(phases).SelectMany(pair => Bars.Of(pair.First.Step, pair.Second))], run._load.Samples, logs);
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
            await _load.BurstAsync(_tuning.Phase);
        await rest;

        // Whoever returns isn't asked at once: until then, or as long as a return may take.
        while (step.Back is { } back && _load.Now < acted + _tuning.LongestReturn && Figures.First(_load.Samples, back, acted) is null)
            await Task.Delay(50);

        var after = await ReachedAsync();
        return new Phase(
            step,
            began,
            acted,
            _load.Now,
            after.ToDictionary(static origin => origin.Key, origin => origin.Value.Values.Sum(static count => (long)count) - before[origin.Key].Values.Sum(static count => (long)count)),
            Repeats(after) - Repeats(before),
            await MaxInFlightAsync());
    }

    private async Task<Dictionary<string, IReadOnlyDictionary<string, int>>> ReachedAsync()
    {
        var origins = _lab.Origins.ToList();
        var paths = await Task.WhenAll(origins.Select(static origin => origin.ByPathAsync()));
        return origins.Zip(paths).ToDictionary(static one => one.First.Name, static one => one.Second);
    }

    private static long Repeats(Dictionary<string, IReadOnlyDictionary<string, int>> reached) =>
        reached.Values.SelectMany(static paths => paths)
            .Where(static path => Catalogue.IsMiss(path.Key))
            .GroupBy(static path => path.Key)
            .Sum(static path => (long)path.Sum(static origin => origin.Value) - 1);

    private async Task<int> MaxInFlightAsync()
    {
        var max = 0;
        foreach (var origin in _lab.Origins)
            max = Math.Max(max, await origin.TakeMaxInFlightAsync());
        return max;
    }
}

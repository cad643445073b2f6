using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Scenarios;

/// <summary>Figures of the phases, from the samples of the whole run.</summary>
internal sealed class Figures
{
    private readonly Tuning _tuning;
    private readonly int _askers;
    private readonly OpenLoop _load;
    private readonly List<Sample> _samples;
    private readonly IReadOnlyList<DateTimeOffset> _fills;

    internal Figures(Tuning tuning, int askers, OpenLoop load, IReadOnlyList<ScenarioRun.Phase> phases)
    {
        _tuning = tuning;
        _askers = askers;
        _load = load;
        _samples = [.. load.Samples];
        // Who has been killed comes back while the next step acts.
        var gone = phases
            .Select((phase, i) => (phase.Step.IsGone, From: phase.Began, To: i + 1 < phases.Count ? phases[i + 1].Acted : phase.Ended))
            .Where(static phase => phase.IsGone)
            .ToList();
        _fills = ImpliedFills.Of(
            _samples.Select(sample => new ImpliedFills.Ask(load.At(sample.Due), sample.Number, sample.Kind == Kind.Expiring ? tuning.ExpiringTtl : 86_400)),
            at => !gone.Exists(phase => at >= load.At(phase.From) && at < load.At(phase.To)));
    }

    internal IReadOnlyList<PhaseFigures> OfAll(IReadOnlyList<ScenarioRun.Phase> phases)
    {
        var all = new List<PhaseFigures>();
        var owed = 0;
        var metByAny = phases.SelectMany(MetBy).ToHashSet();
        foreach (var phase in phases)
        {
            var figures = Of(phase, owed, metByAny);
            all.Add(figures);
            // What is served stale while the origins are away, or have just returned, is filled later.
            owed = (int)Math.Max(0, figures.Implied - figures.Reached.Values.Sum());
        }

        return all;
    }

    /// <summary>Requests that were under way when the phase's act came.</summary>
    private IEnumerable<Sample> MetBy(ScenarioRun.Phase phase) =>
        phase.Step.Act is null ? [] : _samples.Where(sample => sample.Spans(phase.Began, phase.Acted));

    private PhaseFigures Of(ScenarioRun.Phase phase, int owed, HashSet<Sample> metByAny)
    {
        // A request belongs to the phase in which it was due; one that an act met, this phase's or the next one's, is told apart.
        var all = _samples.Where(sample => sample.Due >= phase.Began && sample.Due < phase.Ended).ToList();
        var met = MetBy(phase).ToList();
        var misses = all.Where(static sample => !sample.IsHeld).ToList();
        var implied = owed + _fills.Count(at => at >= _load.At(phase.Began) && at < _load.At(phase.Ended));
        return new PhaseFigures
        {
            Name = phase.Step.Name,
            Began = phase.Began,
            Requests = all.Count,
            Misses = misses.Count,
            HeldErrors = all.Concat(met).Distinct().Count(static sample => sample.IsHeld && sample.Error is not null),
            MissErrors = misses.Count(sample => sample.Error is not null && !metByAny.Contains(sample)),
            MissErrorsUnderWay = met.Count(static sample => !sample.IsHeld && sample.Error is not null),
            UnclearErrors = misses.Count(sample => sample is { Error: not null, Answer.IsClear: false } && !metByAny.Contains(sample)),
            P50 = Percentiles.At(0.5, all.Select(static sample => sample.Latency)),
            P99 = Percentiles.At(0.99, all.Select(static sample => sample.Latency)),
            MissP50 = Percentiles.At(0.5, misses.Select(static sample => sample.Latency)),
            MissP99 = Percentiles.At(0.99, misses.Select(static sample => sample.Latency)),
            Reached = phase.Reached,
            Again = phase.Again,
            MaxInFlight = phase.MaxInFlight,
            Implied = implied,
            Budget = ImpliedFills.Budget(implied, phase.Ended - phase.Began, _askers, _tuning.Budget, _tuning.MinBudget),
            FailedOver = First(misses, phase.Step.Next, phase.Began),
            FailedBack = First(misses, phase.Step.Back, phase.Acted),
            SlowestAtFirst = phase.Step.Next is null
                ? null
                : misses.Where(sample => sample.Due < phase.Acted + TimeSpan.FromSeconds(1)).Max(static sample => (TimeSpan?)sample.Latency),
            Errors = [.. all.Where(static sample => sample.Error is not null)
                .GroupBy(static sample => $"{(sample.IsHeld ? "held" : "miss")}: {sample.Error}")
                .OrderByDescending(static group => group.Count())
                .Select(static group => $"{group.Count()} x {group.Key}")],
        };
    }

    /// <summary>From a moment to the first good answer, to a miss due since, for which this holds.</summary>
    internal static TimeSpan? First(IEnumerable<Sample> samples, Func<Answered, bool>? holds, TimeSpan since) =>
        holds is null
            ? null
            : samples.Where(sample => !sample.IsHeld && sample.Error is null && sample.Due >= since && holds(sample.Answer)).Min(sample => (TimeSpan?)(sample.Ended - since));
}

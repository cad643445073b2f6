using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Scenarios;

/// <summary>What a scenario came to.</summary>
/// <param name="Samples">Every request.</param>
/// <param name="Logs">The logs of the nodes, for when something is missed.</param>
internal sealed record Outcome(
    Scenario Scenario, IReadOnlyList<PhaseFigures> Phases, IReadOnlyList<Bar> Bars, IReadOnlyCollection<Sample> Samples, string Logs);

/// <summary>Something that is asked for.</summary>
/// <param name="What">And what it came to.</param>
/// <param name="IsMet">Whether it is so.</param>
/// <param name="DependsOnSpeed">On a machine that is slow or busy enough it can't be met.</param>
internal sealed record Bar(string What, bool IsMet, bool DependsOnSpeed = false)
{
    /// <summary>As it stands in a report.</summary>
    internal string Line => $"  {(IsMet ? "ok    " : "MISSED")}  {What}\n";
}

/// <summary>One phase in figures.</summary>
internal sealed record PhaseFigures
{
    internal required string Name { get; init; }

    /// <summary>On the clock of the load.</summary>
    internal required TimeSpan Began { get; init; }

    internal required int Requests { get; init; }

    /// <summary>Failures of requests for held objects.</summary>
    internal required int HeldErrors { get; init; }

    /// <summary>Failures of requests for others, without those under way at the instant of the act.</summary>
    internal required int MissErrors { get; init; }

    internal required int MissErrorsUnderWay { get; init; }

    internal required int Misses { get; init; }

    /// <summary>Failed misses, without those under way at the act, that don't say when to ask again and which hop failed.</summary>
    internal required int UnclearErrors { get; init; }

    internal required TimeSpan? P50 { get; init; }

    internal required TimeSpan? P99 { get; init; }

    internal required TimeSpan? MissP50 { get; init; }

    internal required TimeSpan? MissP99 { get; init; }

    /// <summary>Requests that reached each origin.</summary>
    internal required IReadOnlyDictionary<string, long> Reached { get; init; }

    /// <summary>Those of them for an object that isn't held, and that an origin has been asked for already: retried, hedged, resumed.</summary>
    internal required long Again { get; init; }

    /// <summary>The most that an origin had at once.</summary>
    internal required int MaxInFlight { get; init; }

    /// <summary>Fills that there have to be in this phase, with those that were put off in the one before.</summary>
    internal required int Implied { get; init; }

    internal required int Budget { get; init; }

    /// <summary>The most that may reach each cluster of origins.</summary>
    internal int Limit => ImpliedFills.Limit(Implied, Budget);

    /// <summary>The clusters of origins, with the requests that reached all of their servers together.</summary>
    internal IEnumerable<(string Name, long Reached)> Groups =>
        Reached.GroupBy(static origin => origin.Key.Split('-')[0]).Select(static group => (group.Key, group.Sum(static origin => origin.Value)));

    /// <summary>From the beginning of the act to the end of the first answer that only the next source can have given.</summary>
    internal TimeSpan? FailedOver { get; init; }

    /// <summary>From the end of the act to the end of the first answer of who has returned.</summary>
    internal TimeSpan? FailedBack { get; init; }

    /// <summary>The longest that a miss of the first second after the act took.</summary>
    internal TimeSpan? SlowestAtFirst { get; init; }

    /// <summary>The failures, each kind with its number.</summary>
    internal required IReadOnlyList<string> Errors { get; init; }
}

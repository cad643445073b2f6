using System.Diagnostics;
using System.Globalization;
using System.Numerics;

namespace CdnEdge.Fuzz.Engine;

/// <summary>What a run came to.</summary>
/// <param name="Findings">At most one of each kind.</param>
/// <param name="Summary">A line of figures.</param>
internal sealed record FuzzReport(IReadOnlyList<Finding> Findings, string Summary);

/// <summary>
/// A target under its corpus, mutations of it, and long repetitions: on a thread of its own, whose watcher tells of an input that
/// doesn't end.
/// </summary>
internal sealed class FuzzRun
{
    /// <summary>No input takes so long, on however busy a machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private const int MostParents = 4000;

    // The default of .NET's threads on Linux, on which all this is parsed.
    private const int StackBytes = 1536 * 1024;

    private readonly FuzzTarget _target;
    private readonly Workbench _bench;
    private readonly int _seed;
    private readonly FuzzLimit _limit;
    private readonly Mutator _mutator;
    private readonly Random _random;
    private readonly List<byte[]> _parents;
    private readonly HashSet<(int Outcome, int Effort)> _outcomes = [];
    private readonly Dictionary<FindingKind, Finding> _findings = [];
    private readonly TimeSpan _patience;
    private long _inputs;
    private long _repetitions;
    private TimeSpan _longest;

    private FuzzRun(FuzzTarget target, int seed, FuzzLimit limit, TimeSpan patience)
    {
        (_target, _seed, _limit, _patience) = (target, seed, limit, patience);
        _bench = new Workbench(target);
        _random = new Random(seed);
        _mutator = new Mutator(_random, target.Words, target.MaxLength);
        _parents = [.. Corpus.Inputs(target.Name), .. target.Seeds()];
        if (_parents.Count == 0)
            _parents.Add([]);
    }

    /// <param name="seed">Makes the same inputs again.</param>
    /// <param name="patience">How long an input may take; null: long enough for a busy machine.</param>
    internal static FuzzReport Of(FuzzTarget target, int seed, FuzzLimit limit, TimeSpan? patience = null) =>
        new FuzzRun(target, seed, limit, patience ?? Patience).Watch();

    private FuzzReport Watch()
    {
        var clock = Stopwatch.StartNew();
        Exception? broken = null;
        var worker = new Thread(
            () =>
            {
                try
                {
                    Work();
                }
#pragma warning disable CA1031 // The harness's own fault is told on the thread that asked.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    broken = exception;
                }
            },
            StackBytes)
        {
            IsBackground = true,
            Name = $"fuzz {_target.Name}",
        };
        worker.Start();
        while (!worker.Join(TimeSpan.FromMilliseconds(100)))
        {
            // .NET ends no thread: it's left behind, and with it this run.
            if (_bench.Overdue(_patience) is { } input)
                return Report([new(_target, FindingKind.Hung, input, $"didn't end within {_patience.TotalSeconds:0.0} s")], clock.Elapsed);
        }

        return broken is null ? Report([.. _findings.Values], clock.Elapsed) : throw new InvalidOperationException($"The harness failed with seed {_seed}.", broken);
    }

    private FuzzReport Report(Finding[] findings, TimeSpan took) => new(findings, string.Create(
        CultureInfo.InvariantCulture,
        $"fuzz {_target.Name}: seed {_seed}, {_inputs} inputs and {_repetitions} long repetitions in {took.TotalSeconds:0.0} s, {_outcomes.Count} outcomes, longest {_longest.TotalMilliseconds:0.0} ms, {findings.Length} findings"));

    private void Work()
    {
        foreach (var input in _parents.ToArray())
            Try(input);
        foreach (var repetition in Corpus.Repetitions(_target.Name))
            Try(repetition);
        var clock = Stopwatch.StartNew();
        for (var i = 0L; !_limit.IsReached(i, clock.Elapsed) && _findings.Count == 0; i++)
        {
            if (_random.Next(_limit.InputsPerRepetition) == 0)
                Try(_mutator.Repeat(_parents));
            else
                Try(_mutator.Mutate(_parents));
        }
    }

    private void Try(byte[] input)
    {
        _inputs++;
        var trial = _bench.Try(input);
        if (Judge.Of(_bench, input, trial) is { } finding)
            Keep(Minimised(finding));
        _longest = trial.Time > _longest ? trial.Time : _longest;

        // The effort is a poor man's coverage: what allocates another order of magnitude has come another way.
        if (_outcomes.Add((trial.Outcome, BitOperations.Log2((ulong)Math.Max(1, trial.Allocated)))) && _parents.Count < MostParents)
            _parents.Add(input);
    }

    private void Try(Repetition repetition)
    {
        _repetitions++;
        if (Growth.Of(_bench, repetition) is { } finding)
            Keep(finding.Repetition is null ? Minimised(finding) : finding);
    }

    private Finding Minimised(Finding finding) => finding with { Input = Minimiser.Minimise(finding.Input, other => FailsAlike(other, finding)) };

    private bool FailsAlike(byte[] input, Finding finding) =>
        Judge.Of(_bench, input) is { } other && other.Kind == finding.Kind && (other.Kind != FindingKind.Threw || KindOf(other.Detail) == KindOf(finding.Detail));

    // An exception's type, or the claim that doesn't hold: messages tell of the input.
    private static string KindOf(string detail) =>
        detail.Split('\n')[0] is var line && line.Contains(nameof(ClaimBrokenException), StringComparison.Ordinal) ? line : line.Split(':')[0];

    private void Keep(Finding finding) => _findings.TryAdd(finding.Kind, finding);
}

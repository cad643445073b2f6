using System.Globalization;
using CdnEdge.Lab.Load;
using CdnEdge.Lab.Scenarios;

namespace CdnEdge.Lab.Soak;

/// <summary>A part of a soak in figures.</summary>
/// <param name="Until">Its end, from the soak's beginning.</param>
/// <param name="Visits">That ended in it.</param>
/// <param name="Hits">Those of them that the node had, fresh.</param>
/// <param name="P50">Their latency.</param>
/// <param name="P99">Of 99 of 100 of them.</param>
/// <param name="Resident">The node's resident memory in bytes, the median.</param>
/// <param name="OpenFiles">Its file descriptors at the end.</param>
/// <param name="Errors">What was wrong, a line each.</param>
internal sealed record SoakPart(
    TimeSpan Until, int Visits, int Hits, TimeSpan? P50, TimeSpan? P99, long Resident, int OpenFiles, IReadOnlyList<string> Errors)
{
    internal const string Heading = "     until   visits   hits  errors   p50 ms   p99 ms  memory MiB  open files";

    internal static SoakPart Of(TimeSpan until, IReadOnlyList<Visitors.Visit> visits, List<long> resident, int openFiles)
    {
        resident.Sort();
        return new SoakPart(
            until,
            visits.Count,
            visits.Count(static visit => visit.Answer.CacheStatus?.Contains("; hit", StringComparison.Ordinal) == true),
            Percentiles.At(0.5, visits.Select(static visit => visit.Latency)),
            Percentiles.At(0.99, visits.Select(static visit => visit.Latency)),
            resident[resident.Count / 2],
            openFiles,
            [.. visits.Where(static visit => visit.Answer.Error is not null).Select(static visit => $"{visit.Kind}, {visit.Protocol}: {visit.Answer.Error}")]);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Until.TotalSeconds,8:0} s {Visits,8} {Hits,6} {Errors.Count,7} {P50?.TotalMilliseconds,8:0.0} {P99?.TotalMilliseconds,8:0.0} {Resident / 1048576.0,11:0.0} {OpenFiles,11}{(Errors.Count > 0 ? "  such as " + Errors[0] : "")}");
}

/// <summary>What a soak came to.</summary>
/// <param name="Tuning">What was asked of it.</param>
/// <param name="Parts">In order; the last one is what was under way at the end.</param>
/// <param name="Purges">That were accepted.</param>
/// <param name="PurgeErrors">What was wrong with purges, and with what came after them.</param>
/// <param name="Attacks">How often each was made.</param>
/// <param name="ClientsLeft">Connections of clients that the node still had when all were gone.</param>
/// <param name="Log">The node's.</param>
internal sealed record SoakOutcome(
    SoakTuning Tuning, IReadOnlyList<SoakPart> Parts, int Purges, IReadOnlyCollection<string> PurgeErrors, IReadOnlyDictionary<string, int> Attacks,
    int ClientsLeft, string Log)
{
    /// <summary>How much more memory the last third may take than the second.</summary>
    private const double Growth = 1.05;

    /// <summary>What a node takes beside what it stores, in bytes: code, connections, and the garbage between two collections.</summary>
    private const long Beside = 448L << 20;

    internal IEnumerable<Bar> Bars
    {
        get
        {
            var errors = Parts.Sum(static part => part.Errors.Count);
            yield return new Bar($"{errors} errors of {Parts.Sum(static part => part.Visits)} visits (bar: 0)", errors == 0);
            yield return new Bar($"{PurgeErrors.Count} errors of {Purges} purges and what came right after them (bar: 0)", PurgeErrors.Count == 0 && Purges > 0);
            var (second, third) = (Third(1), Third(2));
            var most = Parts.Max(static part => part.Resident);
            yield return new Bar(
                FormattableString.Invariant($"{third / 1048576.0:0.0} MiB in the last third, {second / 1048576.0:0.0} MiB in the second: {(double)third / second:0.000} (bar: {Growth})"),
                third <= second * Growth,
                DependsOnSpeed: true);
            yield return new Bar($"{most >> 20} MiB at most (bar: {Tuning.MaxBytes + Beside >> 20}, {Tuning.MaxBytes >> 20} of them for what is stored)", most <= Tuning.MaxBytes + Beside);
            yield return new Bar($"{ClientsLeft} connections of clients left when all were gone (bar: 0)", ClientsLeft == 0);
            yield return new Bar($"{Faults.Count} errors in the node's log (bar: 0{string.Concat(Faults.Take(1).Select(static line => $"; {line}"))})", Faults.Count == 0);
            var missing = Soak.Attacks.List.Where(attack => !Attacks.ContainsKey(attack.Name)).Select(static attack => attack.Name).ToList();
            yield return new Bar($"{Attacks.Values.Sum()} attacks of {Attacks.Count} kinds (bar: every kind{string.Concat(missing.Select(static name => "; not: " + name))})", missing.Count == 0);
        }
    }

    public override string ToString()
    {
        var text = "\n";
        foreach (var (name, count) in Attacks.OrderBy(static attack => attack.Key, StringComparer.Ordinal))
            text += string.Create(CultureInfo.InvariantCulture, $"  {count,6} x {name}\n");
        foreach (var error in Parts.SelectMany(static part => part.Errors).Concat(PurgeErrors).GroupBy(static error => error).OrderByDescending(static same => same.Count()).Take(10))
            text += string.Create(CultureInfo.InvariantCulture, $"  error {error.Count()} x {error.Key}\n");
        return text + string.Concat(Bars.Select(static bar => bar.Line));
    }

    // What attackers do is no fault of the node's: who writes its log full with them hides what is.
    private List<string> Faults => [.. Log.Split('\n').Where(static line => line.Contains("Z error ", StringComparison.Ordinal) || line.Contains("Z critical ", StringComparison.Ordinal))];

    private long Third(int which)
    {
        var timed = Parts.SkipLast(1).ToList();
        var resident = timed.Skip(timed.Count / 3 * which).Take(timed.Count / 3).Select(static part => part.Resident).Order().ToList();
        return resident[resident.Count / 2];
    }
}

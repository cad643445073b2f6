using CdnEdge.Fuzz.Engine;
using CdnEdge.Fuzz.Targets;

namespace CdnEdge.Fuzz;

/// <summary>Every parser under its corpus and what is made of it. How to run the long form: README.md.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    public static TheoryData<string> Targets => [.. AllTargets.List.Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void No_input_hurts(string name)
    {
        var target = AllTargets.Find(name);
        var report = FuzzRun.Of(target, Seeds.Of(target), FuzzSettings.IsLong
            ? new FuzzLimit(null, FuzzSettings.Time / AllTargets.List.Count)
            : new FuzzLimit(target.Inputs, null));
        output.WriteLine($"{report.Summary} ({FuzzSettings.SeedVariable}={FuzzSettings.Seed})");
        var told = report.Findings.Select(static finding => $"{finding}\n  {Kept(finding)}");
        Assert.True(report.Findings.Count == 0, $"{FuzzSettings.SeedVariable}={FuzzSettings.Seed} makes it again. {report.Summary}\n{string.Join('\n', told)}");
    }

    // The short form changes no file: it runs where nobody would commit one.
    private static string Kept(Finding finding) => FuzzSettings.IsLong
        ? $"kept in {Corpus.Save(finding)}"
        : $"to be kept as {finding.FileName}, base64 {Convert.ToBase64String(finding.Repetition?.ToFile() ?? finding.Input)}";
}

using CdnEdge.Fuzz.Engine;
using CdnEdge.Fuzz.Targets;

namespace CdnEdge.Fuzz;

public class CorpusTests
{
    /// <summary>A parser that was renamed, or lost its target, would take its inputs with it unseen.</summary>
    [Fact]
    public void Every_folder_is_a_targets() =>
        Assert.Equal(AllTargets.List.Select(static target => target.Name).Order(StringComparer.Ordinal), Directory.EnumerateDirectories(Corpus.Root).Select(static folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal));

    /// <summary>One that refuses everything would pass every claim: some of what is kept has to be valid.</summary>
    [Theory]
    [MemberData(nameof(FuzzTests.Targets), MemberType = typeof(FuzzTests))]
    public void What_is_kept_has_more_than_one_outcome(string name)
    {
        var target = AllTargets.Find(name);
        var bench = new Workbench(target);
        Assert.True(Corpus.Inputs(name).Concat(target.Seeds()).Select(input => bench.Try(input).Outcome).Distinct().Count() > 1, $"{name} does the same with all that is kept for it");
    }
}

using CdnEdge.Configuration;

namespace CdnEdge.Tests;

public class SampleConfigurationTests
{
    public static TheoryData<string> Samples() => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "config"), "*.json").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_has_no_mistake(string name)
    {
        var source = Given.Source(Path.Combine(AppContext.BaseDirectory, "config", name));

        var reviewed = await ConfigurationReview.OfAsync(source, source.ReadFile());

        Assert.Empty(reviewed.Errors);
        Assert.Empty(reviewed.Warnings);
    }
}

using CdnEdge.Configuration;

namespace CdnEdge.Tests;

public class SampleConfigurationTests
{
    public static TheoryData<string> Samples() => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "config"), "*.json").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_has_no_mistake(string name)
    {
        // Keys stand in no sample: what the nodes of one are told to be started with comes from the environment.
        var key = Convert.ToBase64String(new byte[32]);
        var source = Given.Source(
            Path.Combine(AppContext.BaseDirectory, "config", name),
            environment: [("CdnEdge__Peering__Key", key), .. name == "sites.json" ? new[] { ("CdnEdge__Sites__www.example.org__Tokens__Keys__2026", key) } : []]);

        var reviewed = await ConfigurationReview.OfAsync(source, source.ReadFile());

        Assert.Empty(reviewed.Errors);

        // Nor do certificates.
        Assert.DoesNotContain(reviewed.Warnings, static warning => !warning.StartsWith("CdnEdge:Tls: no certificate", StringComparison.Ordinal));
    }
}

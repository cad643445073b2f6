using CdnEdge.Lab.Soak;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The soak of the lab (tests/lab/soak.sh) in short: whether memory is flat takes longer to tell, and is printed only.</summary>
[Collection("lab")] // one after the other: each takes all that the machine has
public sealed class SoakScenarios(ITestOutputHelper output)
{
    [Fact]
    public async Task No_visitor_notices_purges_broken_transfers_and_attacks()
    {
        var outcome = await SoakRun.RunAsync(SoakTuning.Short, output.WriteLine);
        output.WriteLine(outcome.ToString());

        Assert.NotEmpty(outcome.Bars);
        Assert.True(outcome.Bars.All(static bar => bar.IsMet || bar.DependsOnSpeed), $"{outcome}\n{outcome.Log}");
    }
}

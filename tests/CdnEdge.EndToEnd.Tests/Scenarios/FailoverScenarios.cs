using CdnEdge.Lab;
using CdnEdge.Lab.Scenarios;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// The scenarios of the lab (tests/lab) in short: two nodes and a Redis, a shield, two regional origins and the core under steady
/// load. What depends on how fast this machine is, is printed and not asked for.
/// </summary>
[Collection("lab")] // one after the other: each starts many processes
public sealed class FailoverScenarios(ITestOutputHelper output)
{
    [Fact]
    public Task Regional_origins_killed_one_after_the_other() => RunAsync("a");

    [Fact]
    public Task One_regional_origin_ten_times_slower() => RunAsync("b");

    [Fact]
    public Task A_fifth_of_the_answers_reset() => RunAsync("c");

    [Fact]
    public Task The_shield_killed() => RunAsync("d");

    [Fact]
    public Task Redis_killed_together_with_the_regional_origins() => RunAsync("e");

    [Fact]
    public Task The_core_gone_too_then_back() => RunAsync("f");

    [Fact]
    public Task The_origins_return_when_everything_has_expired() => RunAsync("g");

    private async Task RunAsync(string id)
    {
        var outcome = await ScenarioRun.RunAsync(AllScenarios.List.Single(scenario => scenario.Id == id), Tuning.Short);
        var report = Report.Of(outcome);
        output.WriteLine(report);

        Assert.NotEmpty(outcome.Bars);
        Assert.True(outcome.Bars.All(static bar => bar.IsMet || bar.DependsOnSpeed), $"{report}\n{outcome.Logs}");
    }
}

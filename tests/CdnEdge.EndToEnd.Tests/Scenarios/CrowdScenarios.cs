using CdnEdge.Lab.Crowd;
using CdnEdge.Lab.Load;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The crowd of the lab (tests/lab/crowd.sh) in short: what a connection costs is printed, not asked for.</summary>
[Collection("lab")] // one after the other: each takes all that the machine has
public sealed class CrowdScenarios(ITestOutputHelper output)
{
    [Fact]
    public Task Idle_connections_beside_busy_ones() => RunAsync(Protocol.Plain);

    [Fact]
    public Task Idle_connections_over_TLS() => RunAsync(Protocol.Tls);

    [Fact]
    public Task Idle_connections_of_HTTP2() => RunAsync(Protocol.Http2);

    private async Task RunAsync(Protocol protocol)
    {
        var outcome = await CrowdRun.RunAsync(protocol, CrowdTuning.Short);
        output.WriteLine(outcome.ToString());

        Assert.NotEmpty(outcome.Bars);
        Assert.True(outcome.Bars.All(static bar => bar.IsMet), outcome.ToString());
    }
}

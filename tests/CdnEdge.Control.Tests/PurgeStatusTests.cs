namespace CdnEdge.Control.Tests;

public class PurgeStatusTests
{
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void Everywhere_means_all_that_can_be_reached(bool acknowledged, bool reachable, bool expected)
    {
        var others = new PurgeAcknowledgement("b", Acknowledged: true, Reachable: true, null);
        var one = new PurgeAcknowledgement("a", acknowledged, reachable, null);

        Assert.Equal(expected, new PurgeStatus("x-1-0", DateTimeOffset.UnixEpoch, new PurgeRequest(), [others, one], []).IsEverywhere);
        Assert.Equal(expected, new PurgeStatus("x-1-0", DateTimeOffset.UnixEpoch, new PurgeRequest(), [], [one, others]).IsEverywhere);
    }
}

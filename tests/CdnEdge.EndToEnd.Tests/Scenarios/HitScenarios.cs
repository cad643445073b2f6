using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The first thing a user sees: a MISS, then a HIT.</summary>
public sealed class HitScenarios(Edge edge) : IClassFixture<Edge>
{
    [Fact]
    public async Task The_second_request_is_answered_from_memory()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "Content-Type: text/plain"));

        var first = await edge.Get(page);
        var second = await edge.Get(page);

        Assert.Equal("cdnedge", first.CacheStatus.Split(';')[0]);
        Assert.Equal("uri-miss", first.Forwarded);
        Assert.Contains("stored", first.CacheStatusParameters);
        Assert.True(second.IsHit, second.CacheStatus);
        Assert.Contains(second.CacheStatusParameters, parameter => parameter.StartsWith("ttl=", StringComparison.Ordinal));
        Assert.Equal(("hello", "text/plain"), (second.Text, second.Headers["Content-Type"]));
        Assert.InRange(second.Headers.Number("Age") ?? -1, 0, 600);
        Assert.Single(page.Requests);
    }
}

using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Several representations of one URL.</summary>
public sealed class VariantScenarios(Edge edge) : IClassFixture<Edge>
{
    [Fact]
    public async Task Each_variant_is_stored_beside_the_others()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(origin.Headers["X-Shape"]!, "Vary: X-Shape"));

        await edge.Get(page, "X-Shape: round");
        var square = await edge.Get(page, "X-Shape: square");
        var round = await edge.Get(page, "X-Shape: round");

        Assert.Equal("vary-miss", square.Forwarded);
        Assert.Equal(("square", "round"), (square.Text, round.Text));
        Assert.True(round.IsHit, round.CacheStatus);
        Assert.Equal(2, page.Requests.Count);
    }

    [Theory]
    [InlineData("br , gzip")]
    [InlineData("gzip;q=1.0, br;q=1")]
    [InlineData("gzip")]
    public async Task A_coded_body_answers_whoever_takes_that_coding(string acceptEncoding)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("zipped", "Content-Encoding: gzip", "Vary: Accept-Encoding"));
        await edge.Get(page, "Accept-Encoding: gzip, br");

        var response = await edge.Get(page, $"Accept-Encoding: {acceptEncoding}");

        Assert.True(response.IsHit, response.CacheStatus);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("identity")]
    [InlineData("gzip;q=0")]
    public async Task A_coded_body_never_answers_whoever_cannot_read_it(string acceptEncoding)
    {
        var page = edge.Origin.Serves(
            origin => origin.Fresh("zipped", "Content-Encoding: gzip", "Vary: Accept-Encoding"),
            origin => origin.Fresh("plain", "Vary: Accept-Encoding"));
        await edge.Get(page, "Accept-Encoding: gzip, br");

        var response = await edge.Get(page, $"Accept-Encoding: {acceptEncoding}");

        Assert.Equal("plain", response.Text);
    }

    [Fact]
    public async Task Clients_of_another_variant_do_not_wait_for_this_one()
    {
        // Given that the edge knows what the page varies on,
        var rest = new Signal("the rest of the slow variant");
        var page = edge.Origin.Serves(async origin =>
        {
            var shape = origin.Headers["X-Shape"]!;
            await origin.Begin(200, "Cache-Control: max-age=600", "Vary: X-Shape");
            await origin.Chunk(shape);
            if (shape == "slow")
                await rest.Opened();
            await origin.End();
        });
        await edge.Get(page, "X-Shape: first");

        // when one variant is slow to come,
        await using var waiting = await edge.Connect();
        await waiting.Ask("GET", page.Path, "X-Shape: slow");
        await page.Asked(2);

        // then others come at once.
        Assert.Equal("quick", (await edge.Get(page, "X-Shape: quick")).Text);
        rest.Open();
        Assert.Equal("slow", (await waiting.Receive()).Text);
    }
}

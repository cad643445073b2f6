using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What a change through the edge does to what is stored (RFC 9111 §4.4).</summary>
public sealed class InvalidationScenarios(Edge edge) : IClassFixture<Edge>
{
    [Theory]
    [InlineData("POST", 200, true)]
    [InlineData("PUT", 204, true)]
    [InlineData("DELETE", 204, true)]
    [InlineData("PATCH", 303, true)]
    [InlineData("DELETE", 500, false)]
    [InlineData("POST", 403, false)]
    [InlineData("OPTIONS", 200, false)]
    public async Task A_change_that_succeeds_invalidates_the_page(string method, int status, bool invalidates)
    {
        var page = edge.Origin.Serves(
            origin => origin.Fresh("old"),
            origin => origin.Respond(status, []),
            origin => origin.Fresh("new"));
        await edge.Get(page);

        Assert.Equal(status, (await edge.Ask(method, page.Path, "Content-Length: 0")).Status);

        Assert.Equal(invalidates ? "new" : "old", (await edge.Get(page)).Text);
    }

    [Theory]
    [InlineData("Location")]
    [InlineData("Content-Location")]
    public async Task It_also_invalidates_what_the_answer_points_to(string field)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("old"), origin => origin.Fresh("new"));
        var form = edge.Origin.Serves(origin => origin.Respond(201, [$"{field}: {page.Path}"]));
        await edge.Get(page);

        await edge.Ask("POST", form.Path, "Content-Length: 0");

        Assert.Equal("new", (await edge.Get(page)).Text);
    }

    [Fact]
    public async Task But_not_what_belongs_to_another_host()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("old"), origin => origin.Fresh("new"));
        var form = edge.Origin.Serves(origin => origin.Respond(201, [$"Location: http://victim.example{page.Path}"]));
        await edge.Get(page, "Host: victim.example");

        await edge.Ask("POST", form.Path, "Host: attacker.example", "Content-Length: 0");

        Assert.Equal("old", (await edge.Get(page, "Host: victim.example")).Text);
    }
}

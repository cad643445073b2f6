using System.Text.Json.Nodes;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>A node is warmed, by the command and by curl, before its first visitor.</summary>
public sealed class WarmScenarios : IAsyncLifetime
{
    private readonly ScriptedOrigin _origin = new();
    private EdgeProcess _edge = null!;

    public async ValueTask InitializeAsync() => _edge = await EdgeProcess.Serve(["--origin", _origin.Url], withAdmin: true);

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task The_command_warms_a_sitemap_for_each_coding_and_visitors_get_hits()
    {
        var page = _origin.Serves(origin => origin.Fresh(origin.Headers["Accept-Encoding"]!, "Vary: Accept-Encoding"));
        var missing = _origin.Serves(origin => origin.Respond(404, ["Cache-Control: no-store"]));
        var sitemap = _origin.Serves(origin => origin.Fresh(
            $"<urlset><url><loc>https://www.example.org{page.Path}</loc></url><url><loc>https://www.example.org{missing.Path}</loc></url></urlset>"));

        var (code, output) = await EdgeProcess.Run(
            "warm", "--sitemap", $"https://www.example.org{sitemap.Path}", "--accept-encoding", "br", "--accept-encoding", "gzip", "--json", "--admin", _edge.AdminAddress.ToString());

        var sum = JsonNode.Parse(output)!;
        Assert.Equal((1, 4, 2, 2), (code, (int)sum["total"]!, (int)sum["stored"]!, (int)sum["failed"]!));
        Assert.All((JsonArray)sum["failures"]!, failure => Assert.Equal(($"https://www.example.org{missing.Path}", "404 "), ((string)failure!["url"]!, ((string)failure["detail"]!)[..4])));
        foreach (var coding in new[] { "br", "gzip" })
        {
            var visit = await Curl.Run("-si", "-H", "Host: www.example.org", "-H", $"Accept-Encoding: {coding}", new Uri(_edge.Address, page.Path).ToString());
            Assert.Matches("(?i)cache-status: cdnedge; ?hit", visit);
            Assert.EndsWith(coding, visit, StringComparison.Ordinal);
        }

        Assert.Equal(2, page.Requests.Count);
    }

    [Fact]
    public async Task Curl_sees_the_events_as_they_come()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        var body = $$"""{ "urls": [ "http://www.example.org{{page.Path}}" ] }""";

        var events = await Curl.Run("-sNi", "-H", "Content-Type: application/json", "-d", body, new Uri(_edge.AdminAddress, "/warm").ToString());

        Assert.Contains("Content-Type: text/event-stream", events, StringComparison.Ordinal);
        Assert.Matches("(?s)event: begin\ndata: \\{\"total\":1\\}\n\n.*event: progress\ndata: .*\"outcome\":\"stored\".*event: end\ndata: ", events);
    }
}

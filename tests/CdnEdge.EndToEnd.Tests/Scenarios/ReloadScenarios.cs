using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The configuration file changes while the edge runs.</summary>
public sealed class ReloadScenarios : IAsyncLifetime
{
    private readonly ScriptedOrigin _blue = new();
    private readonly ScriptedOrigin _green = new();
    private readonly string _file = ConfigurationFile.Write("{}");
    private EdgeProcess _edge = null!;

    public async ValueTask InitializeAsync()
    {
        _blue.Serves(origin => origin.Fresh("blue"));
        _green.Serves(origin => origin.Fresh("green"));
        Write(_blue, "{}");
        _edge = await EdgeProcess.Serve(["--config", _file]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _blue.DisposeAsync();
        await _green.DisposeAsync();
        File.Delete(_file);
    }

    [Fact]
    public async Task A_good_change_takes_effect_without_a_restart()
    {
        Assert.Equal("blue", (await Get("/1?before")).Text);

        Write(_green, """{ "Enabled": false }""");

        // Routes and clusters are YARP's, policies are the cache's: both change.
        await Deadline.Until(async () => (await Get($"/1?{Guid.NewGuid()}")).Text == "green");
        await Deadline.Until(async () => (await Get("/1?before")) is { Forwarded: "bypass", Text: "green" });
    }

    [Fact]
    public async Task What_is_compressed_follows_the_policy()
    {
        var text = new string('x', 4000);
        var page = _blue.Serves(origin => origin.Fresh(text, "Content-Type: text/plain"));
        await Get(page.Path, "Accept-Encoding: gzip");
        await Deadline.Until(async () => (await Get(page.Path, "Accept-Encoding: gzip")).Headers["Content-Encoding"] == "gzip");

        Write(_blue, """{ "Compression": { "Enabled": false } }""");

        await Deadline.Until(async () => (await Get(page.Path, "Accept-Encoding: gzip")) is { Text: var plain, Headers: var fields } && plain == text && !fields.Has("Vary"));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_bad_change_is_reported_and_the_old_configuration_stays()
    {
        await Get("/1?before");

        Write(_green, """{ "MaxVariants": 0 }""");

        await Deadline.Until(() => _edge.Output.Contains("CdnEdge:Policies:default:MaxVariants", StringComparison.Ordinal));
        Assert.True((await Get("/1?before")).IsHit);
        Assert.Equal("blue", (await Get("/1?after")).Text);

        // And a good one after it is taken.
        Write(_green, "{}");
        await Deadline.Until(async () => (await Get($"/1?{Guid.NewGuid()}")).Text == "green");
    }

    private async Task<Response> Get(string target, params string[] fields)
    {
        await using var client = await RawClient.Connect(_edge.Address);
        return await client.Get(target, fields);
    }

    private void Write(ScriptedOrigin origin, string policy)
    {
        // Written beside and moved over it: the edge never reads half a file.
        var next = ConfigurationFile.Write($$"""
            {
              "CdnEdge": { "Policies": { "default": {{policy}} } },
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "origin", "Match": { "Path": "/{**rest}" } } },
                "Clusters": { "origin": { "Destinations": { "a": { "Address": "{{origin.Url}}" } } } }
              }
            }
            """);
        File.Move(next, _file, overwrite: true);
    }
}

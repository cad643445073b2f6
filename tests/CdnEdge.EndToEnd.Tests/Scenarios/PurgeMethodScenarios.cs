using System.Text.Json.Nodes;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>PURGE by curl, as a content management system sends it, with the admin API turned off.</summary>
public sealed class PurgeMethodScenarios : IAsyncLifetime
{
    private readonly ScriptedOrigin _origin = new();
    private readonly string _file = ConfigurationFile.Write("{}");
    private string _token = "";
    private EdgeProcess? _edge;

    public async ValueTask InitializeAsync()
    {
        var (code, output) = await EdgeProcess.Run("token", "new", "--name", "cms", "--scope", "purge", "--json");
        Assert.Equal(0, code);
        var made = JsonNode.Parse(output)!;
        _token = (string)made["token"]!;
        var settings = made["configuration"]!.AsObject();
        settings["CdnEdge"]!["PurgeMethod"] = new JsonObject { ["Enabled"] = true };
        File.WriteAllText(_file, settings.ToJsonString());
    }

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        File.Delete(_file);
    }

    [Fact]
    public async Task A_url_by_itself_or_by_its_tag_is_fetched_anew_and_the_origin_hears_nothing_of_it()
    {
        await Serve();
        var page = _origin.Serves(origin => origin.Fresh("old", "Surrogate-Key: article-1"), origin => origin.Fresh("new", "Surrogate-Key: article-1"), origin => origin.Fresh("newest"));
        Assert.Equal("old", await Curl.Run("-s", Url(page)));

        Assert.Matches("""^\{"status":"ok","id":".+"\}200$""", await Purge(Url(page), "-H", $"Authorization: Bearer {_token}"));
        Assert.Equal("new", await Curl.Run("-s", Url(page)));

        Assert.EndsWith("200", await Purge(new Uri(_edge!.Address, "/").ToString(), "-H", $"Fastly-Key: {_token}", "-H", "Surrogate-Key: article-1"), StringComparison.Ordinal);
        Assert.Equal("newest", await Curl.Run("-s", Url(page)));

        Assert.EndsWith("401", await Purge(Url(page)), StringComparison.Ordinal);
        Assert.Equal("newest", await Curl.Run("-s", Url(page)));
        Assert.DoesNotContain(_origin.Requests, request => request.Method == "PURGE");
    }

    [Fact]
    public async Task Whoever_says_to_come_from_elsewhere_comes_from_where_the_connection_does()
    {
        await Serve(("CdnEdge__PurgeMethod__AllowFrom__0", "10.0.0.0/8"), ("CdnEdge__Forwarding__TrustedProxies__0", "127.0.0.0/8"));
        var page = _origin.Serves(origin => origin.Fresh("old"), origin => origin.Fresh("new"));
        await Curl.Run("-s", Url(page));

        var answer = await Purge(Url(page), "-H", $"Authorization: Bearer {_token}", "-H", "X-Forwarded-For: 10.1.1.1", "-H", "Forwarded: for=10.1.1.1");

        Assert.Contains("PURGE may not come from 127.0.0.1", answer, StringComparison.Ordinal);
        Assert.EndsWith("403", answer, StringComparison.Ordinal);
        Assert.Equal("old", await Curl.Run("-s", Url(page)));
    }

    private async Task Serve(params (string Name, string Value)[] settings) =>
        _edge = await EdgeProcess.Serve(["--origin", _origin.Url, "--config", _file], settings.ToDictionary(setting => setting.Name, setting => setting.Value));

    private string Url(Resource page) => new Uri(_edge!.Address, page.Path).ToString();

    /// <summary>The answer's body, and its status behind it.</summary>
    private static Task<string> Purge(string url, params string[] more) => Curl.Run(["-s", "-X", "PURGE", "-w", "%{http_code}", .. more, url]);
}

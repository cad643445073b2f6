using System.Text;
using System.Text.Json.Nodes;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A scripted origin, a real Redis and as many real nodes as a test wants to share it.</summary>
internal sealed class Pop : IAsyncDisposable
{
    /// <summary>Bytes of a body that takes many chunks in Redis.</summary>
    internal const int Large = 3 * 1024 * 1024 + 17;

    private readonly List<EdgeProcess> _nodes = [];

    private Pop(RedisServer redis) => Redis = redis;

    internal ScriptedOrigin Origin { get; } = new();

    internal RedisServer Redis { get; }

    internal static async Task<Pop> StartAsync() => new(await RedisServer.StartAsync());

    /// <summary>Another node.</summary>
    /// <param name="redisPort">Where it finds Redis; null: where it is.</param>
    /// <param name="settings">Configuration by its environment variables, beside <c>CdnEdge__Redis__AllowPlaintext</c>.</param>
    internal async Task<EdgeProcess> NodeAsync(int? redisPort = null, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["CdnEdge__Redis__AllowPlaintext"] = "true",
            ["CdnEdge__Redis__Timeout"] = "00:00:05", // two busy cores, not a slow Redis
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        environment.TryAdd("CdnEdge__Purge__Node", $"node-{_nodes.Count}");
        var node = await EdgeProcess.Serve(["--origin", Origin.Url, "--redis", $"127.0.0.1:{redisPort ?? Redis.Port}"], environment, withAdmin: true);
        _nodes.Add(node);
        return node;
    }

    /// <summary>The one site of all nodes: a Host field, for the nodes' own addresses differ.</summary>
    internal const string Site = "Host: www.example.org";

    /// <summary>A GET (or another method) for <see cref="Site"/> over a connection of its own.</summary>
    internal static async Task<Response> AskAsync(EdgeProcess node, string target, string method = "GET", params string[] fields)
    {
        await using var client = await RawClient.Connect(node.Address);
        await client.Ask(method, target, [Site, .. fields]);
        return await client.Receive(method);
    }

    /// <summary>Purges through a node, and waits until the PoP's others have it.</summary>
    internal static async Task PurgeAsync(EdgeProcess node, string json)
    {
        using var client = new HttpClient { BaseAddress = node.AdminAddress };
        using var answer = await client.PostAsync("/purge?wait=all", new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>What the admin API says to this path.</summary>
    internal static async Task<JsonNode> AdminAsync(EdgeProcess node, string path)
    {
        using var client = new HttpClient { BaseAddress = node.AdminAddress };
        return JsonNode.Parse(await client.GetStringAsync(path, TestContext.Current.CancellationToken))!;
    }

    /// <summary>The names of what is stored in Redis: without leases and the log of purges.</summary>
    internal async Task<IReadOnlyList<string>> NamesAsync() =>
        [.. (await Redis.NamesAsync()).Where(name => name.StartsWith("cdnedge:{", StringComparison.Ordinal) && !name.Contains(":l:", StringComparison.Ordinal))];

    /// <summary>Waits until there are so many of them.</summary>
    internal Task SharedAsync(int names = 1) => Deadline.Until(async () => (await NamesAsync()).Count >= names);

    /// <summary>A body in which no two places look alike for long.</summary>
    internal static string Text(int length) =>
        string.Create(length, 0, static (text, _) =>
        {
            for (var i = 0; i < text.Length; i++)
                text[i] = (char)('a' + (i * 31 + i / 1000) % 26);
        });

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await Redis.DisposeAsync();
        await Origin.DisposeAsync();
    }
}

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A scripted origin, a real Redis and as many real nodes as a test wants to share it.</summary>
internal sealed class Pop : IAsyncDisposable
{
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
        var node = await EdgeProcess.Serve(["--origin", Origin.Url, "--redis", $"127.0.0.1:{redisPort ?? Redis.Port}"], environment);
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

    /// <summary>Waits until so many names are in Redis, leases not counted.</summary>
    internal Task SharedAsync(int names = 1) => Deadline.Until(async () => (await Redis.NamesAsync()).Count(name => !name.Contains(":l:", StringComparison.Ordinal)) >= names);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await Redis.DisposeAsync();
        await Origin.DisposeAsync();
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A site whose every page says the same, until that changes; Redis servers and real nodes in front of it.</summary>
internal sealed class PurgeScene : IAsyncDisposable
{
    internal const string Site = "www.example.org";

    private readonly List<IAsyncDisposable> _parts = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdnedge-purge-");
    private readonly WebApplication _origin;

    private PurgeScene(WebApplication origin) => _origin = origin;

    /// <summary>What every page says from now on.</summary>
    internal string Content { get; set; } = "old";

    internal static async Task<PurgeScene> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var origin = builder.Build();
        var scene = new PurgeScene(origin);
        origin.Run(context =>
        {
            context.Response.Headers.CacheControl = "max-age=3600";
            context.Response.Headers["Surrogate-Key"] = $"all page-{context.Request.Path.Value![1..]}";
            return context.Response.WriteAsync(scene.Content);
        });
        await origin.StartAsync(TestContext.Current.CancellationToken);
        return scene;
    }

    internal async Task<RedisServer> RedisAsync(params string[] options) => Added(await RedisServer.StartAsync(options));

    /// <summary>A port through which others reach a node that isn't there yet.</summary>
    internal Relay Relay() => Added(new Relay());

    /// <summary>A node. It may be started again under the same name when it has gone.</summary>
    /// <param name="pop">Its PoP.</param>
    /// <param name="name">Its name.</param>
    /// <param name="redis">Null: it has a file.</param>
    /// <param name="peers">Other PoPs and the ports where they are reached.</param>
    /// <param name="settings">Configuration by its environment variables.</param>
    internal async Task<PurgeNode> NodeAsync(string pop, string name, RedisServer? redis, (string Name, Relay At)[]? peers = null, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["CdnEdge__Purge__Pop"] = pop,
            ["CdnEdge__Purge__Node"] = name,
            ["CdnEdge__Admin__RequestsPerSecond"] = "1000000",
            ["CdnEdge__Redis__AllowPlaintext"] = "true",
            ["CdnEdge__Redis__Timeout"] = "00:00:05",
            ["Logging__LogLevel__CdnEdge.Control.AuditLog"] = "Warning",
        };
        if (redis is null)
            environment["CdnEdge__Purge__LogFile"] = Path.Combine(_folder.FullName, $"{pop}-{name}.log");
        for (var i = 0; i < peers?.Length; i++)
        {
            environment[$"CdnEdge__Purge__Peers__{i}__Name"] = peers[i].Name;
            environment[$"CdnEdge__Purge__Peers__{i}__Url"] = $"http://127.0.0.1:{peers[i].At.Port}";
        }

        foreach (var (key, value) in settings)
            environment[key] = value;
        IEnumerable<string> arguments = ["--origin", _origin.Urls.Single()];
        return Added(await PurgeNode.StartAsync(redis is null ? arguments : [.. arguments, "--redis", redis.Connection], environment));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
        await _origin.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private T Added<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }
}

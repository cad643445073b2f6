using System.Security.Cryptography;
using CdnEdge.Lab.Processes;

namespace CdnEdge.Lab;

/// <summary>
/// The place "lhr" with two nodes and a Redis, a node "fra-1" that shields, two regional origins and the core: all processes of
/// their own on loopback.
/// </summary>
internal sealed class Topology : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-lab-").FullName;
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly Tuning _tuning;
    private readonly List<IAsyncDisposable> _all = [];

    private Topology(Tuning tuning) => _tuning = tuning;

    /// <summary>The Host that clients ask for.</summary>
    internal const string Site = "www.example.org";

    internal IReadOnlyList<Origin> Regional { get; private set; } = [];

    internal Origin Core { get; private set; } = null!;

    internal IEnumerable<Origin> Origins => [.. Regional, Core];

    /// <summary>The nodes that clients ask.</summary>
    internal IReadOnlyList<EdgeNode> Nodes { get; private set; } = [];

    /// <summary>Null: there's none.</summary>
    internal EdgeNode? Shield { get; private set; }

    internal Redis? Redis { get; private set; }

    /// <summary>How many nodes may ask the origins.</summary>
    internal int Askers => Nodes.Count + (Shield is null ? 0 : 1);

    /// <param name="tuning">Durations.</param>
    /// <param name="nodes">How many nodes clients ask.</param>
    /// <param name="alone">Without Redis and shield.</param>
    /// <param name="change">More to say under a cluster's options, by the cluster's name.</param>
    internal static async Task<Topology> StartAsync(
        Tuning tuning, int nodes = 2, bool alone = false, Action<string, Dictionary<string, object?>>? change = null)
    {
        var topology = new Topology(tuning);
        try
        {
            await topology.StartAllAsync(nodes, alone, change);
            return topology;
        }
        catch
        {
            await topology.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_all))
            await part.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAllAsync(int nodes, bool alone, Action<string, Dictionary<string, object?>>? change)
    {
        Regional =
        [
            Kept(await Origin.StartAsync("regional-1", _tuning.Service)),
            Kept(await Origin.StartAsync("regional-2", _tuning.Service)),
        ];
        Core = Kept(await Origin.StartAsync("core-1", _tuning.Service));
        if (!alone)
        {
            Redis = Kept(await Redis.StartAsync(_folder));
            Shield = Kept(await NodeAsync("fra-1", "fra", change));
        }

        var started = new List<EdgeNode>();
        for (var i = 1; i <= nodes; i++)
            started.Add(Kept(await NodeAsync($"lhr-{i}", "lhr", change)));
        Nodes = started;
    }

    private Task<EdgeNode> NodeAsync(string name, string pop, Action<string, Dictionary<string, object?>>? change)
    {
        var port = Ports.Free();
        var asksShield = pop == "lhr" && Shield is not null;
        var edge = new Dictionary<string, object?>
        {
            ["Listen"] = (string[])[$"http://127.0.0.1:{port}"],
            ["Admin"] = new { Listen = "none" },
            ["Memory"] = new { MaxBytes = 256 * 1024 * 1024 },
            ["Purge"] = new { Pop = pop, Node = name },
            ["Peering"] = new { Id = name, Key = _key },
            ["Policies"] = new { @default = new { Grace = "01:00:00" } },
        };
        if (pop == "lhr" && Redis is not null)
            edge["Redis"] = new { Connection = $"127.0.0.1:{Redis.Port}", AllowPlaintext = true };

        var options = new Dictionary<string, object?> { ["regional"] = Options("regional", asksShield), ["core"] = Options("core", asksShield: false) };
        var clusters = new Dictionary<string, object?>
        {
            ["regional"] = Cluster(probed: true, [.. Regional.Select(static origin => (origin.Name, origin.Url))]),
            ["core"] = Cluster(probed: true, (Core.Name, Core.Url)),
        };
        if (asksShield)
        {
            options["shields"] = Options("shields", asksShield: false);
            clusters["shields"] = Cluster(probed: false, (Shield!.Name, $"http://127.0.0.1:{Shield.Port}"));
        }

        edge["Clusters"] = options;
        return EdgeNode.StartAsync(name, port, _folder, new
        {
            CdnEdge = edge,
            ReverseProxy = new
            {
                Routes = new { everything = new { ClusterId = "regional", Match = new { Path = "/{**path}" } } },
                Clusters = clusters,
            },
        });

        object Options(string cluster, bool asksShield)
        {
            var all = new Dictionary<string, object?>
            {
                ["SlowStart"] = Text(_tuning.SlowStart),
                ["Timeouts"] = new { FirstByte = Text(_tuning.FirstByte) },
                ["Retries"] = new { _tuning.Budget, _tuning.MinBudget },
                ["Breaker"] = new { Break = Text(_tuning.Break) },
                ["Ejection"] = new { BaseTime = Text(_tuning.EjectionTime) },
            };
            if (cluster == "regional")
                all["Failover"] = "core";
            if (asksShield)
                all["Shield"] = "shields";
            if (cluster == "shields")
                all["Peers"] = true;
            change?.Invoke(cluster, all);
            return all;
        }
    }

    private Dictionary<string, object?> Cluster(bool probed, params (string Name, string Address)[] destinations)
    {
        var cluster = new Dictionary<string, object?>
        {
            ["Destinations"] = destinations.ToDictionary(static one => one.Name, static one => new { one.Address }),
        };
        if (probed)
        {
            cluster["HealthCheck"] = new
            {
                Active = new { Enabled = true, Interval = Text(_tuning.ProbeInterval), Timeout = Text(_tuning.ProbeInterval), Policy = "Thresholds", Path = "/health" },
            };
        }

        return cluster;
    }

    private T Kept<T>(T part)
        where T : IAsyncDisposable
    {
        _all.Add(part);
        return part;
    }

    private static string Text(TimeSpan duration) => duration.ToString("c");
}

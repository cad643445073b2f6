using System.Diagnostics;
using System.Net.NetworkInformation;
using CdnEdge.Lab.Processes;

namespace CdnEdge.Lab.Soak;

/// <summary>
/// A node under everything at once for long: visitors who ask for what is held, what expires, what is new and parts of it, purges,
/// clients that break off, and attacks. No visitor may notice, and the node may not grow.
/// </summary>
internal sealed class SoakRun : IAsyncDisposable
{
    /// <summary>Lines that are printed, however long a run is.</summary>
    private const int Parts = 15;

    private static readonly TimeSpan Sampling = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Closing = TimeSpan.FromSeconds(20);

    private readonly SoakTuning _tuning;
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-lab-").FullName;
    private readonly List<IAsyncDisposable> _all = [];

    private SoakRun(SoakTuning tuning) => _tuning = tuning;

    /// <param name="tuning">How long, and how much.</param>
    /// <param name="print">Told of each part of it when that is over.</param>
    internal static async Task<SoakOutcome> RunAsync(SoakTuning tuning, Action<string> print)
    {
        await using var run = new SoakRun(tuning);
        return await run.RunAsync(print);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_all))
            await part.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<SoakOutcome> RunAsync(Action<string> print)
    {
        var origin = Kept(await Origin.StartAsync("origin", TimeSpan.FromMilliseconds(2)));
        var redis = Kept(await Redis.StartAsync(_folder));
        var (plain, tls, admin) = (Address("http"), Address("https"), Address("http"));
        var node = Kept(await EdgeNode.StartAsync("soak", plain.Port, _folder, Configuration(origin, redis, plain, tls, admin)));

        List<SoakPart> parts = [];
        var visitors = new Visitors(plain, tls);
        var purger = new Purger(plain, admin, _tuning.PurgePause);
        var attackers = new Attackers(plain, tls, _tuning);
        await using (visitors)
        await using (purger)
        await using (attackers)
        {
            visitors.Start(_tuning.Rate);
            await Task.Delay(_tuning.Warming);
            purger.Start();
            attackers.Start();
            print(SoakPart.Heading);
            while (parts.Count < Parts)
            {
                parts.Add(await PartAsync(node, visitors, _tuning.Duration / Parts * (parts.Count + 1)));
                print(parts[^1].ToString());
            }

            await Task.WhenAll(visitors.StopAsync(), purger.StopAsync(), attackers.StopAsync());
            parts.Add(SoakPart.Of(_tuning.Duration, visitors.Take(), [node.Resident], node.OpenFiles));
        }

        return new SoakOutcome(_tuning, parts, purger.Accepted, purger.Errors, attackers.Made, await ClientsLeftAsync(plain, tls), node.Output);
    }

    private async Task<SoakPart> PartAsync(EdgeNode node, Visitors visitors, TimeSpan until)
    {
        List<long> resident = [];
        for (var part = Stopwatch.StartNew(); part.Elapsed < _tuning.Duration / Parts;)
        {
            await Task.Delay(Sampling);
            resident.Add(node.Resident);
        }

        return SoakPart.Of(until, visitors.Take(), resident, node.OpenFiles);
    }

    // All have closed theirs; the node needs a moment to notice.
    private static async Task<int> ClientsLeftAsync(Uri plain, Uri tls)
    {
        for (var waiting = Stopwatch.StartNew(); waiting.Elapsed < Closing && Left() > 0;)
            await Task.Delay(Sampling);
        return Left();

        int Left() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections().Count(
            connection => (connection.LocalEndPoint.Port == plain.Port || connection.LocalEndPoint.Port == tls.Port)
                && connection.State is (TcpState.Established or TcpState.CloseWait));
    }

    private object Configuration(Origin origin, Redis redis, Uri plain, Uri tls, Uri admin) => new
    {
        CdnEdge = new
        {
            Listen = (string[])[Text(plain), Text(tls)],
            Admin = new { Listen = Text(admin) },
            Memory = new { _tuning.MaxBytes },
            Redis = new { Connection = $"127.0.0.1:{redis.Port}", AllowPlaintext = true },
            Origin = origin.Url,
            Limits = new { ConnectionsPerAddress = 200 },
            Sites = new Dictionary<string, object> { ["*"] = new { ClientRate = new { PerSecond = 1000, Burst = 2000 } } },
        },
    };

    private static Uri Address(string scheme) => new($"{scheme}://127.0.0.1:{Ports.Free()}");

    private static string Text(Uri address) => address.GetLeftPart(UriPartial.Authority);

    private T Kept<T>(T part)
        where T : IAsyncDisposable
    {
        _all.Add(part);
        return part;
    }
}

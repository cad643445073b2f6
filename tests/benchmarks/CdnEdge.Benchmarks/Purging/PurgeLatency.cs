using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Benchmarks.Purging;

/// <summary>
/// From sending <c>POST /purge</c> until it's answered, and until the first response that isn't the purged one: on the node that was
/// asked, on another node of its PoP, and in another PoP. Real processes, a real Redis for each PoP, all on this machine.
/// </summary>
internal static class PurgeLatency
{
    private const int Rounds = 500;
    private const int WarmUp = 50;

    private static int _version;

    internal static async Task RunAsync(TextWriter output)
    {
        await using var origin = await OriginAsync();
        using var lhr = ServerProcess.Redis();
        using var fra = ServerProcess.Redis();
        int[] admin = [FreePort(), FreePort(), FreePort()];
        using var a = Node(origin, lhr.Port, "lhr", "a", admin[0], ("fra", admin[2]));
        using var b = Node(origin, lhr.Port, "lhr", "b", admin[1], ("fra", admin[2]));
        using var c = Node(origin, fra.Port, "fra", "c", admin[2], ("lhr", admin[0]));
        foreach (var port in admin)
            await ServerProcess.ReadyAsync(port);

        output.WriteLine("Latency of purging one URL, one purge at a time: from sending POST /purge");
        var answered = new Percentiles();
        foreach (var (where, node) in new[] { ("first new response, same node", a), ("first new response, same PoP", b), ("first new response, other PoP", c) })
        {
            var effect = new Percentiles();
            for (var round = -WarmUp; round < Rounds; round++)
            {
                var (answer, first) = await PurgeAsync(admin[0], node.Port, [a.Port, b.Port, c.Port]);
                if (round < 0)
                    continue;
                answered.Add(answer);
                effect.Add(first);
            }

            output.WriteLine($"  {where,-32} {effect.In("ms", 1e3)}");
        }

        output.WriteLine($"  {"answer of the API",-32} {answered.In("ms", 1e3)}");
    }

    // A page that all have; it changes and is purged; the node is asked again and again.
    private static async Task<(TimeSpan Answered, TimeSpan Effective)> PurgeAsync(int admin, int watched, int[] all)
    {
        var version = Volatile.Read(ref _version);
        var page = $"/{version}";
        foreach (var port in all)
        {
            using var client = new PlainClient(port);
            do
                await client.GetAsync(page);
            while (!client.IsHit);
        }

        using var asking = new PlainClient(watched);
        using var purging = new PlainClient(admin);
        var old = await asking.GetAsync(page);
        Interlocked.Increment(ref _version);
        var began = Stopwatch.GetTimestamp();
        var purge = Task.Run(async () =>
        {
            await purging.PostAsync("/purge", $$"""{ "urls": [ "http://{{PlainClient.Site}}{{page}}" ] }""");
            return Stopwatch.GetElapsedTime(began);
        });
        while (await asking.GetAsync(page) == old)
        {
        }

        return (await purge, Stopwatch.GetElapsedTime(began));
    }

    private static async Task<WebApplication> OriginAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var origin = builder.Build();
        origin.Run(static context =>
        {
            context.Response.Headers.CacheControl = "max-age=3600";
            return context.Response.WriteAsync($"version {Volatile.Read(ref _version)}");
        });
        await origin.StartAsync();
        return origin;
    }

    private static ServerProcess Node(WebApplication origin, int redis, string pop, string name, int admin, (string Name, int Port) peer) => ServerProcess.Node(
        FreePort(),
        ["--origin", origin.Urls.Single(), "--redis", $"127.0.0.1:{redis}", "--admin", $"http://127.0.0.1:{admin}"],
        new Dictionary<string, string>
        {
            ["CdnEdge__Purge__Pop"] = pop,
            ["CdnEdge__Purge__Node"] = name,
            ["CdnEdge__Purge__Peers__0__Name"] = peer.Name,
            ["CdnEdge__Purge__Peers__0__Url"] = $"http://127.0.0.1:{peer.Port}",
            ["CdnEdge__Admin__RequestsPerSecond"] = "1000000",
            ["CdnEdge__Redis__AllowPlaintext"] = "true",
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__CdnEdge"] = "Warning",
        });

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Contenders;

/// <summary>YARP with one route to one origin and nothing else: the miss path without a cache.</summary>
internal static class BareYarp
{
    /// <summary>Forwards everything to <paramref name="origin"/> until it is told to stop.</summary>
    public static async Task RunAsync(string url, string origin)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url).UseKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "origin", Match = new RouteMatch { Path = "{**all}" } }],
            [
                new ClusterConfig
                {
                    ClusterId = "origin",
                    Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = origin } },
                },
            ]);
        await using var app = builder.Build();
        app.MapReverseProxy();
        await app.RunAsync();
    }
}

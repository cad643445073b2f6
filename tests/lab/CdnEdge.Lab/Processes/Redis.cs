using System.Globalization;

namespace CdnEdge.Lab.Processes;

/// <summary>A Redis without persistence.</summary>
internal sealed class Redis : IAsyncDisposable
{
    private readonly ServerProcess _process;

    private Redis(string folder)
    {
        Port = Ports.Free();
        _process = new ServerProcess(
            "redis-server",
            ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
            "Ready to accept connections");
    }

    internal int Port { get; }

    internal static async Task<Redis> StartAsync(string folder)
    {
        var redis = new Redis(folder);
        await redis._process.StartAsync();
        return redis;
    }

    internal Task KillAsync() => _process.KillAsync();

    internal Task StartAgainAsync() => _process.StartAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

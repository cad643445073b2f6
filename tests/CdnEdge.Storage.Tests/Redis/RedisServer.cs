using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace CdnEdge.Storage.Tests.Redis;

/// <summary>A real Redis on a loopback port of its own, without persistence, in a directory that goes with it.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("cdnedge-redis").FullName;
    private readonly string[] _options;
    private Process? _process;
    private ConnectionMultiplexer? _client;

    private RedisServer(string[] options)
    {
        _options = options;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    internal int Port { get; }

    internal string Connection => $"127.0.0.1:{Port},connectTimeout=500";

    /// <summary>A client of the test's own.</summary>
    internal IDatabase Database => _client!.GetDatabase();

    internal IServer Server => _client!.GetServers()[0];

    internal static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer(options);
        await server.StartAgainAsync();
        return server;
    }

    internal async Task StartAgainAsync()
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, WorkingDirectory = _directory };
        foreach (var argument in (string[])["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _directory, .. _options])
            start.ArgumentList.Add(argument);
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException("These tests need redis-server (Debian: apt-get install redis-server).", exception);
        }

        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        await Until(async () =>
        {
            try
            {
                _client = await ConnectionMultiplexer.ConnectAsync($"{Connection},allowAdmin=true");
                return (await Database.PingAsync()) >= TimeSpan.Zero;
            }
            catch (RedisException)
            {
                return false;
            }
        });
    }

    internal async Task StopAsync()
    {
        await _client!.DisposeAsync();
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Holds it still (SIGSTOP), as a machine without memory or a debugger would.</summary>
    internal void Pause() => Signal("STOP");

    internal void Resume() => Signal("CONT");

    internal async Task<string[]> NamesAsync()
    {
        var names = new List<string>();
        await foreach (var name in Server.KeysAsync())
            names.Add(name.ToString());
        return [.. names];
    }

    /// <summary>Waits for a state, at most a while.</summary>
    internal static async Task Until(Func<Task<bool>> state)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await state())
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, "It didn't come to that in time.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            Resume();
            await StopAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }
}

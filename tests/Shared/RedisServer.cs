using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace CdnEdge.Testing;

/// <summary>
/// A real Redis on a loopback port of its own, in a directory that goes with it. Without persistence, unless
/// <see cref="Durable"/> or other options say so.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    /// <summary>Options with which everything is on the disk before it's answered.</summary>
    internal static readonly string[] Durable = ["--appendonly", "yes", "--appendfsync", "always"];

    private static readonly ConcurrentDictionary<Process, bool> Running = new();

    private readonly string _directory = Directory.CreateTempSubdirectory("cdnedge-redis").FullName;
    private readonly string[] _options;
    private Process? _process;
    private ConnectionMultiplexer? _client;

    // A test run that is broken off takes its servers along.
    static RedisServer() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var process in Running.Keys)
            process.Kill();
    };

    private RedisServer(string[] options)
    {
        _options = options;
        Port = FreePort();
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

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
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

        Running.TryAdd(_process, true);
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        await Deadline.Until(AnswersAsync, "redis-server to answer");
    }

    /// <summary>Ends it at once (SIGKILL): what it hasn't written down is lost.</summary>
    internal async Task StopAsync()
    {
        await _client!.DisposeAsync();
        Running.TryRemove(_process!, out _);
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Holds it still (SIGSTOP), as a machine without memory or a debugger would.</summary>
    internal void Pause() => Signal("STOP");

    internal void Resume() => Signal("CONT");

    /// <summary>As a node connects: in the background, for as long as it takes.</summary>
    internal async Task<ConnectionMultiplexer> ConnectAsync()
    {
        var options = ConfigurationOptions.Parse($"127.0.0.1:{Port},abortConnect=false,connectTimeout=1000,asyncTimeout=2000,allowAdmin=true");
        options.ReconnectRetryPolicy = new LinearRetry(100);
        options.BacklogPolicy = BacklogPolicy.FailFast;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    internal async Task<string[]> NamesAsync()
    {
        var names = new List<string>();
        await foreach (var name in Server.KeysAsync())
            names.Add(name.ToString());
        return [.. names];
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

    private async Task<bool> AnswersAsync()
    {
        try
        {
            _client = await ConnectionMultiplexer.ConnectAsync($"{Connection},allowAdmin=true");
            return (await Database.PingAsync()) >= TimeSpan.Zero;
        }
        catch (RedisException)
        {
            return false; // or it loads what it had written
        }
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }
}

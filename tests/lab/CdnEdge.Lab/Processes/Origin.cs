using System.Globalization;
using System.Net.Http.Json;
using CdnEdge.FaultyOrigin;

namespace CdnEdge.Lab.Processes;

/// <summary>A faulty origin as a process of its own.</summary>
internal sealed class Origin : IAsyncDisposable
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false });

    private readonly ServerProcess _process;
    private readonly int _control = Ports.Free();
    private readonly Dictionary<string, int> _before = [];

    private Origin(string name, TimeSpan service)
    {
        Name = name;
        Port = Ports.Free();
        _process = new ServerProcess(
            "dotnet",
            [
                Built.FaultyOrigin, "--name", name, "--port", Text(Port), "--control", Text(_control),
                "--service-ms", Text((int)service.TotalMilliseconds),
            ],
            "traffic http://");
    }

    internal string Name { get; }

    internal int Port { get; }

    internal string Url => $"http://127.0.0.1:{Port}";

    internal static async Task<Origin> StartAsync(string name, TimeSpan service)
    {
        var origin = new Origin(name, service);
        await origin._process.StartAsync();
        return origin;
    }

    /// <summary>Kills the process.</summary>
    internal async Task KillAsync()
    {
        foreach (var (path, count) in (await StatsAsync()).ByPath)
            _before[path] = _before.GetValueOrDefault(path) + count;
        await _process.KillAsync();
    }

    /// <summary>Starts it again, at the same port and healthy.</summary>
    internal Task StartAgainAsync() => _process.StartAsync();

    internal async Task SufferAsync(Fault fault)
    {
        using var answer = await Client.PostAsJsonAsync(Control("fault"), fault, ControlPort.Json);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
    }

    internal async Task HealAsync()
    {
        using var answer = await Client.PostAsync(Control("heal"), null);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>What reached it since it was started last.</summary>
    internal async Task<Stats> StatsAsync(bool paths = true) =>
        (await Client.GetFromJsonAsync<Stats>(Control(paths ? "stats" : "stats?paths=none"), ControlPort.Json))!;

    /// <summary>The most requests that it had at once since this was asked last; 0 while it doesn't run.</summary>
    internal async Task<int> TakeMaxInFlightAsync()
    {
        if (!_process.IsRunning)
            return 0;
        using var answer = await Client.PostAsync(Control("stats/max"), null);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<Stats>(ControlPort.Json))!.MaxInFlight;
    }

    /// <summary>Requests for content that reached it, by path, over all its lives.</summary>
    internal async Task<IReadOnlyDictionary<string, int>> ByPathAsync()
    {
        var all = new Dictionary<string, int>(_before);
        if (_process.IsRunning)
        {
            foreach (var (path, count) in (await StatsAsync()).ByPath)
                all[path] = all.GetValueOrDefault(path) + count;
        }

        return all;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private Uri Control(string path) => new($"http://127.0.0.1:{_control}/control/{path}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CdnEdge.Benchmarks.Purging;

/// <summary>A process that listens on a port, and ends with this.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-benchmark-").FullName;

    private ServerProcess(int port, string program, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        Port = port;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, WorkingDirectory = _folder };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} didn't start.");
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
    }

    internal int Port { get; }

    internal static ServerProcess Redis()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        return new ServerProcess(port, "redis-server", ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], []);
    }

    /// <summary><c>cdnedge serve</c>, as it was built beside this program.</summary>
    internal static ServerProcess Node(int port, IEnumerable<string> arguments, Dictionary<string, string> environment) =>
        new(port, "dotnet", [Program(), "serve", "--listen", $"http://127.0.0.1:{port}", .. arguments], environment);

    /// <summary>Waits until the node with this admin port wants traffic.</summary>
    internal static async Task ReadyAsync(int admin)
    {
        using var client = new HttpClient();
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{admin}/health/ready"));
                if (response.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(since) < Patience)
            {
                // Not yet.
            }

            if (Stopwatch.GetElapsedTime(since) > Patience)
                throw new TimeoutException("A node isn't ready.");
            await Task.Delay(50);
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // .../tests/benchmarks/CdnEdge.Benchmarks/bin/Release/net10.0/
    private static string Program()
    {
        var built = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var root = built;
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "CdnEdge.sln")))
            root = root.Parent;
        var path = Path.Combine(root?.FullName ?? "", "src", "CdnEdge", "bin", built.Parent!.Name, built.Name, "cdnedge.dll");
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} isn't built: dotnet build CdnEdge.sln -c {built.Parent.Name}");
    }
}

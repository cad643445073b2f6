using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>The real <c>cdnedge serve</c> as a process of its own, on a free port of 127.0.0.1.</summary>
internal sealed partial class EdgeProcess : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<Process, bool> Running = new();

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Uri> _admin = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // A test run that is broken off takes its edges along.
    static EdgeProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var process in Running.Keys)
            Kill(process);
    };

    private EdgeProcess(Process process)
    {
        _process = process;
    }

    /// <summary>Where it listens.</summary>
    internal Uri Address => _listening.Task.Result;

    /// <summary>Its admin API; only if it was started with one.</summary>
    internal Uri AdminAddress => _admin.Task.Result;

    /// <summary>What it printed so far.</summary>
    internal string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Bytes of memory that the process holds now.</summary>
    internal long WorkingSet
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>How many of its threads have this name, as Linux tells it.</summary>
    internal int CountThreads(string name) =>
        Directory.EnumerateDirectories($"/proc/{_process.Id}/task").Count(task => File.ReadAllText($"{task}/comm").TrimEnd() == name);

    /// <summary>How nice (19: to everybody) its threads of this name are, as Linux tells it.</summary>
    internal int[] NicenessOf(string name) =>
    [
        .. Directory.EnumerateDirectories($"/proc/{_process.Id}/task")
            .Select(static task => File.ReadAllText($"{task}/stat"))
            .Where(stat => stat.Contains($"({name})", StringComparison.Ordinal))
            .Select(static stat => int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture)),
    ];

    /// <param name="arguments">What follows <c>serve --listen URL</c>.</param>
    /// <param name="environment">Environment variables such as <c>CdnEdge__Memory__MaxBytes</c>.</param>
    /// <param name="withAdmin">With an admin API, on a free port too.</param>
    /// <param name="listen">Where it's to listen.</param>
    internal static async Task<EdgeProcess> Serve(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, bool withAdmin = false, string listen = "http://127.0.0.1:0")
    {
        var admin = withAdmin ? "http://127.0.0.1:0" : "none";
        var edge = new EdgeProcess(Prepare(["serve", "--listen", listen, "--admin", admin, .. arguments], environment));
        try
        {
            edge.Start();
            await Deadline.Within(edge._listening.Task, "cdnedge to listen");
            if (withAdmin)
                await Deadline.Within(edge._admin.Task, "its admin API");
            return edge;
        }
        catch (Exception failure)
        {
            await edge.DisposeAsync();
            throw new InvalidOperationException($"cdnedge didn't start: {failure.Message}\n{edge.Output}", failure);
        }
    }

    /// <summary>Runs a command to its end: <c>check</c>, or a <c>serve</c> that is expected to refuse.</summary>
    internal static async Task<(int ExitCode, string Output)> Run(params string[] arguments)
    {
        await using var edge = new EdgeProcess(Prepare(arguments, null));
        edge.Start();
        await Deadline.Within(edge._process.WaitForExitAsync(), $"cdnedge {string.Join(' ', arguments)} to end");
        edge._process.WaitForExit(); // the asynchronous one doesn't wait for the last lines of the output
        return (edge._process.ExitCode, edge.Output);
    }

    /// <summary>Holds it still (SIGSTOP).</summary>
    internal void Pause() => Signal("STOP");

    internal void Resume() => Signal("CONT");

    /// <summary>Asks it to stop (SIGTERM), and waits until it has; its exit code.</summary>
    internal async Task<int> StopAsync()
    {
        Signal("TERM");
        await Deadline.Within(_process.WaitForExitAsync(), "cdnedge to stop");
        Running.TryRemove(_process, out _);
        return _process.ExitCode;
    }

    /// <summary>Ends it at once (SIGKILL).</summary>
    public async ValueTask DisposeAsync()
    {
        if (Running.TryRemove(_process, out _))
        {
            Kill(_process);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static Process Prepare(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo("dotnet", [Checkout.Program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What happens to be set where the tests run doesn't configure the edge.
        foreach (var name in start.Environment.Keys.Where(name => Settings().IsMatch(name)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new Process { StartInfo = start, EnableRaisingEvents = true };
    }

    private void Start()
    {
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Exited += (_, _) =>
        {
            _listening.TrySetException(new InvalidOperationException("it ended by itself"));
            _admin.TrySetCanceled();
        };
        Running.TryAdd(_process, true);
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Read(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
        if (ListeningLine().Match(line) is { Success: true } match)
            _listening.TrySetResult(new Uri(match.Groups[1].Value));
        else if (AdminLine().Match(line) is { Success: true } admin)
            _admin.TrySetResult(new Uri(admin.Groups[1].Value));
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It never started or has ended: what was wanted.
        }
    }

    [GeneratedRegex(@"Now listening on: (https?://[\d.]+:\d+)")]
    private static partial Regex ListeningLine();

    [GeneratedRegex(@"Admin API on: (http://[\d.]+:\d+)")]
    private static partial Regex AdminLine();

    [GeneratedRegex("^(CdnEdge|ReverseProxy|Kestrel|Logging|ASPNETCORE)_|^DOTNET_(ENVIRONMENT|URLS)", RegexOptions.IgnoreCase)]
    private static partial Regex Settings();
}

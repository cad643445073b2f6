using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace CdnEdge.Lab.Processes;

/// <summary>A server that can be killed and started again, at the same port with the same arguments. It ends with this program.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly ConcurrentDictionary<Process, bool> Running = new();

    private readonly string _program;
    private readonly string[] _arguments;
    private readonly string _ready;
    private readonly StringBuilder _output = new();
    private Process? _process;

    // Whoever breaks the lab off takes its processes along. Since .NET 10 a signal ends a program without ProcessExit.
    private static readonly PosixSignalRegistration[] Signals =
        [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(static signal => PosixSignalRegistration.Create(signal, static _ => KillAll()))];

    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        KillAll();
        foreach (var signal in Signals)
            signal.Dispose();
    };

    /// <param name="program">Found in PATH.</param>
    /// <param name="arguments">The same each time.</param>
    /// <param name="ready">What it prints when it's ready.</param>
    internal ServerProcess(string program, string[] arguments, string ready)
    {
        _program = program;
        _arguments = arguments;
        _ready = ready;
    }

    internal bool IsRunning => _process is not null;

    /// <summary>Its resident memory, in bytes.</summary>
    internal long Resident
    {
        get
        {
            var process = _process ?? throw new InvalidOperationException($"{_program} doesn't run.");
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>Its file descriptors, which are sockets for the most part.</summary>
    internal int OpenFiles => Directory.GetFileSystemEntries($"/proc/{_process?.Id}/fd").Length;

    /// <summary>What it printed, over all starts.</summary>
    internal string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Returns when it's ready.</summary>
    internal async Task StartAsync()
    {
        var start = new ProcessStartInfo(_program, _arguments)
        {
            RedirectStandardInput = true, // held open: a faulty origin ends when it is closed
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What happens to be set where the lab runs doesn't configure the nodes.
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToList())
            start.Environment.Remove(name);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Read(line.Data, ready);
        process.ErrorDataReceived += (_, line) => Read(line.Data, ready);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"{_program} {string.Join(' ', _arguments)} ended:\n{Output}"));
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException($"The lab needs {_program}: {exception.Message}", exception);
        }

        Running.TryAdd(process, true);
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(Patience);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{_program} {string.Join(' ', _arguments)} isn't ready after {Patience.TotalSeconds:0} s:\n{Output}", exception);
        }
    }

    /// <summary>Ends it at once (SIGKILL); returns when it's gone.</summary>
    internal async Task KillAsync()
    {
        if (_process is not { } process)
            return;
        _process = null;
        Kill(process);
        await process.WaitForExitAsync();
        Running.TryRemove(process, out _);
        process.Dispose();
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private void Read(string? line, TaskCompletionSource ready)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
        if (line.Contains(_ready, StringComparison.Ordinal))
            ready.TrySetResult();
    }

    private static bool IsSetting(string name) =>
        Array.Exists(["CdnEdge_", "ReverseProxy_", "Kestrel_", "Logging_", "ASPNETCORE_"], prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    private static void KillAll()
    {
        foreach (var process in Running.Keys)
            Kill(process);
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself: what was wanted.
        }
    }
}

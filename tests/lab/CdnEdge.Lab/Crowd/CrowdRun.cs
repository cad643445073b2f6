using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CdnEdge.Lab.Load;
using CdnEdge.Lab.Processes;
using CdnEdge.Lab.Scenarios;

namespace CdnEdge.Lab.Crowd;

/// <summary>
/// A node with many connections on which nothing happens, and others that are busy: what an idle one costs, and whether everybody
/// is still served. Memory is compared under the same load, without the idle ones and with them.
/// </summary>
internal sealed class CrowdRun : IAsyncDisposable
{
    private const int Objects = 64;
    private const int Size = 4096;

    /// <summary>Connections that are being opened at a time: fewer than a listening socket's backlog.</summary>
    private const int Opening = 64;

    private static readonly TimeSpan Sampling = TimeSpan.FromMilliseconds(250);

    private readonly Protocol _protocol;
    private readonly CrowdTuning _tuning;
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-lab-").FullName;
    private readonly CheckingClient[] _idle;
    private readonly CheckingClient[] _active;
    private readonly ConcurrentBag<string> _errors = [];
    private readonly ConcurrentQueue<TimeSpan> _latencies = new();
    private readonly CancellationTokenSource _stopping = new();
    private Origin? _origin;
    private EdgeNode? _node;
    private Uri _address = null!;
    private int _answers;

    private CrowdRun(Protocol protocol, CrowdTuning tuning)
    {
        _protocol = protocol;
        _tuning = tuning;
        _idle = Clients(tuning.Idle);
        _active = Clients(tuning.Active);

        CheckingClient[] Clients(int count) => [.. Enumerable.Range(0, count).Select(_ => new CheckingClient(protocol, atMost: 1))];
    }

    internal static async Task<CrowdOutcome> RunAsync(Protocol protocol, CrowdTuning tuning)
    {
        await using var run = new CrowdRun(protocol, tuning);
        return await run.RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _active.Concat(_idle))
            client.Dispose();
        _stopping.Dispose();
        if (_node is not null)
            await _node.DisposeAsync();
        if (_origin is not null)
            await _origin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<CrowdOutcome> RunAsync()
    {
        await StartAsync();
        var active = Task.WhenAll(_active.Select((client, i) => AskAgainAndAgainAsync(client, i)));
        await Task.Delay(_tuning.Warming);
        var without = await MeasureAsync();

        var opening = Stopwatch.StartNew();
        await EachIdleAsync();
        var opened = opening.Elapsed;
        var with = await MeasureAsync();

        // Whoever was idle is served on, on the same connection.
        await EachIdleAsync();
        await _stopping.CancelAsync();
        await active;

        var made = _idle.Concat(_active).Sum(static client => client.Connections);
        return new CrowdOutcome(_protocol, _tuning, without, with, opened, _answers, [.. _errors], made);
    }

    private async Task StartAsync()
    {
        _origin = await Origin.StartAsync("origin", TimeSpan.Zero);
        var port = Ports.Free();
        _address = new Uri($"{(_protocol == Protocol.Plain ? "http" : "https")}://127.0.0.1:{port}");
        _node = await EdgeNode.StartAsync("crowd", port, _folder, new
        {
            CdnEdge = new { Listen = (string[])[_address.GetLeftPart(UriPartial.Authority)], Admin = new { Listen = "none" }, Origin = _origin.Url },
        });
    }

    private Task EachIdleAsync() => Parallel.ForAsync(
        0, _idle.Length, new ParallelOptions { MaxDegreeOfParallelism = Opening }, async (i, _) => await AskAsync(_idle[i], i));

    private async Task AskAgainAndAgainAsync(CheckingClient client, int first)
    {
        // Spread evenly: all at once would be another load.
        await Task.Delay(_tuning.Pause * first / _active.Length);
        for (var i = first; !_stopping.IsCancellationRequested; i++)
        {
            var asked = Stopwatch.GetTimestamp();
            await AskAsync(client, i);
            _latencies.Enqueue(Stopwatch.GetElapsedTime(asked));
            await Task.Delay(_tuning.Pause);
        }
    }

    private async Task AskAsync(CheckingClient client, int i)
    {
        var number = i % Objects;
        var target = string.Create(CultureInfo.InvariantCulture, $"/o/{number}?size={Size}&ttl=86400");
        var answer = await client.AskAsync(_address, target, number, Size);
        Interlocked.Increment(ref _answers);
        if (answer.Error is { } error)
            _errors.Add(error);
    }

    private async Task<CrowdFigures> MeasureAsync()
    {
        _latencies.Clear();
        List<long> resident = [];
        for (var measuring = Stopwatch.StartNew(); measuring.Elapsed < _tuning.Measuring;)
        {
            await Task.Delay(Sampling);
            resident.Add(_node!.Resident);
        }

        TimeSpan[] latencies = [.. _latencies];
        resident.Sort();
        return new CrowdFigures(
            resident[resident.Count / 2], _node!.OpenFiles, latencies.Length / _tuning.Measuring.TotalSeconds,
            Percentiles.At(0.5, latencies), Percentiles.At(0.99, latencies));
    }
}

/// <summary>A node under the load of the active connections.</summary>
/// <param name="Resident">Its resident memory in bytes, the median.</param>
/// <param name="OpenFiles">Its file descriptors.</param>
/// <param name="Rate">Answers on active connections, a second.</param>
/// <param name="P50">Their latency.</param>
/// <param name="P99">Of 99 of 100 of them.</param>
internal sealed record CrowdFigures(long Resident, int OpenFiles, double Rate, TimeSpan? P50, TimeSpan? P99);

/// <summary>What a crowd came to.</summary>
/// <param name="Protocol">How all came.</param>
/// <param name="Tuning">How many.</param>
/// <param name="Without">Before the idle ones came.</param>
/// <param name="With">Beside them.</param>
/// <param name="Opened">How long it took for all idle ones to connect and get an answer.</param>
/// <param name="Answers">Of all, idle and active, right or not.</param>
/// <param name="Errors">What was wrong with those that were wrong.</param>
/// <param name="Connections">That were made in all.</param>
internal sealed record CrowdOutcome(
    Protocol Protocol, CrowdTuning Tuning, CrowdFigures Without, CrowdFigures With, TimeSpan Opened, int Answers, IReadOnlyCollection<string> Errors, int Connections)
{
    /// <summary>Bytes of resident memory for each idle connection; the kernel's buffers aren't among them.</summary>
    internal long BytesPerIdle => (With.Resident - Without.Resident) / Tuning.Idle;

    internal IEnumerable<Bar> Bars =>
    [
        new($"{Errors.Count} errors of {Answers} answers (bar: 0)", Errors.Count == 0),
        new($"{Connections} connections made for {Tuning.Idle + Tuning.Active} clients (bar: one each)", Connections == Tuning.Idle + Tuning.Active),
        new($"{With.OpenFiles - Without.OpenFiles} more file descriptors with them (bar: {Tuning.Idle} at least)", With.OpenFiles - Without.OpenFiles >= Tuning.Idle),
    ];

    public override string ToString()
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {Protocol}: {Tuning.Idle} idle and {Tuning.Active} active connections
              memory per idle connection: {BytesPerIdle / 1024.0:0.0} KiB ({Without.Resident >> 20} MiB without them, {With.Resident >> 20} MiB with them)
              opened and answered in {Opened.TotalSeconds:0.0} s: {Tuning.Idle / Opened.TotalSeconds:0} a second
              active, without: {Without.Rate:0} answers a second, p50 {Ms(Without.P50)}, p99 {Ms(Without.P99)}
              active, with:    {With.Rate:0} answers a second, p50 {Ms(With.P50)}, p99 {Ms(With.P99)}

            """);
        foreach (var error in Errors.GroupBy(static error => error).OrderByDescending(static same => same.Count()).Take(6))
            text += string.Create(CultureInfo.InvariantCulture, $"  {error.Count()} x {error.Key}\n");
        return text + string.Concat(Bars.Select(static bar => bar.Line));
    }

    private static string Ms(TimeSpan? duration) => Scenarios.Bars.Text(duration);
}

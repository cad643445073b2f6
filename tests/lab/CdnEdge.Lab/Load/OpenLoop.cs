using System.Collections.Concurrent;
using System.Diagnostics;

namespace CdnEdge.Lab.Load;

/// <summary>
/// Requests at a fixed rate, sent when they are due whatever became of those before: a slow answer doesn't make the load lighter.
/// </summary>
internal sealed class OpenLoop : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private readonly CheckingClient _client = new();
    private readonly ConcurrentQueue<Sample> _samples = new();
    private readonly IReadOnlyList<Uri> _nodes;
    private readonly Catalogue _catalogue;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset _beganAt = DateTimeOffset.UtcNow;
    private readonly CancellationTokenSource _stopping = new();
    private Task? _sending;
    private int _underWay;

    internal OpenLoop(IReadOnlyList<Uri> nodes, Catalogue catalogue)
    {
        _nodes = nodes;
        _catalogue = catalogue;
    }

    /// <summary>Since the load was made.</summary>
    internal TimeSpan Now => Stopwatch.GetElapsedTime(_began);

    /// <summary>The clock's time at such a moment.</summary>
    internal DateTimeOffset At(TimeSpan moment) => _beganAt + moment;

    internal IReadOnlyCollection<Sample> Samples => _samples;

    /// <summary>Asks for every held object once at each node, and for some new ones so that all code has run; then again what didn't come.</summary>
    internal async Task WarmAsync(int misses)
    {
        var arrivals = _catalogue.Held(_nodes.Count)
            .Concat(Enumerable.Range(0, misses).Select(i => new Catalogue.Arrival(Kind.Miss, int.MaxValue - i, i % _nodes.Count)));
        await Parallel.ForEachAsync(arrivals, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (arrival, _) =>
        {
            for (var attempt = 0; ; attempt++)
            {
                var sample = await AskAsync(arrival, Now);
                if (sample.Error is null)
                {
                    _samples.Enqueue(sample);
                    return;
                }

                if (attempt == 3)
                    throw new InvalidOperationException($"Warming: {sample.Kind} {sample.Number}: {sample.Error}");
            }
        });
    }

    /// <param name="rate">Requests a second.</param>
    internal void Start(double rate) => _sending = SendAsync(rate, int.MaxValue, _ => _catalogue.Next(_nodes.Count));

    /// <summary>Beside the rest, asks for every object that expires once, at one node or another, spread evenly over this time.</summary>
    internal Task BurstAsync(TimeSpan over)
    {
        var arrivals = _catalogue.Held(1).Where(static arrival => arrival.Kind == Kind.Expiring).ToArray();
        return SendAsync(arrivals.Length / over.TotalSeconds, arrivals.Length, i => arrivals[i] with { Node = i % _nodes.Count });
    }

    /// <summary>Sends no more, and waits for what is under way.</summary>
    internal async Task StopAsync()
    {
        if (_sending is null)
            return;
        await _stopping.CancelAsync();
        await _sending;
        _sending = null;
        while (Volatile.Read(ref _underWay) > 0) // each ends by itself, within its patience
            await Task.Delay(20);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _client.Dispose();
        _stopping.Dispose();
    }

    private async Task SendAsync(double rate, int count, Func<int, Catalogue.Arrival> next)
    {
        var first = Now;
        using var timer = new PeriodicTimer(Tick);
        for (var sent = 0; sent < count && !_stopping.IsCancellationRequested;)
        {
            await timer.WaitForNextTickAsync();
            for (; sent < count && first + TimeSpan.FromSeconds(sent / rate) is var due && due <= Now; sent++)
                _ = RecordAsync(next(sent), due);
        }
    }

    private async Task RecordAsync(Catalogue.Arrival arrival, TimeSpan due)
    {
        Interlocked.Increment(ref _underWay);
        await Task.Yield();
        _samples.Enqueue(await AskAsync(arrival, due));
        Interlocked.Decrement(ref _underWay);
    }

    private async Task<Sample> AskAsync(Catalogue.Arrival arrival, TimeSpan due)
    {
        var (kind, number, node) = arrival;
        var answer = await _client.AskAsync(_nodes[node], _catalogue.Target(kind, number), number, Catalogue.Size(kind, number));
        return new Sample(kind, number, node, due, Now, answer);
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CdnEdge.FaultyOrigin;

namespace CdnEdge.Lab.Load;

/// <summary>
/// Requests at a fixed rate, sent when they are due whatever became of those before: a slow answer doesn't make the load lighter.
/// Every body is checked byte by byte.
/// </summary>
internal sealed class OpenLoop : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
    })
    { Timeout = Timeout.InfiniteTimeSpan };

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

    /// <summary>Beside the rest, asks for every held object once at each node, spread evenly over this time.</summary>
    internal async Task BurstAsync(TimeSpan over)
    {
        var arrivals = _catalogue.Held(_nodes.Count).ToArray();
        Random.Shared.Shuffle(arrivals);
        await SendAsync(arrivals.Length / over.TotalSeconds, arrivals.Length, i => arrivals[i]);
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
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_nodes[node], _catalogue.Target(kind, number)));
        request.Headers.Host = Topology.Site;
        using var patience = new CancellationTokenSource(Patience);
        HttpResponseMessage? response = null;
        string? error;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            error = await CheckAsync(response, number, Catalogue.Size(kind, number), patience.Token);
        }
        catch (OperationCanceledException)
        {
            error = $"nothing more within {Patience.TotalSeconds:0} s";
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            error = (exception.InnerException ?? exception).Message;
        }

        using (response)
        {
            return new Sample(
                kind,
                number,
                due,
                Now,
                (int?)response?.StatusCode ?? 0,
                Field(response, "X-Origin"),
                error,
                Field(response, "Cache-Status"),
                int.TryParse(Field(response, "Age"), NumberStyles.None, CultureInfo.InvariantCulture, out var age) ? age : null,
                Field(response, "Retry-After") is not null && Field(response, "Proxy-Status") is not null);
        }
    }

    private static async Task<string?> CheckAsync(HttpResponseMessage response, long number, int size, CancellationToken patience)
    {
        if ((int)response.StatusCode != 200)
            return $"status {(int)response.StatusCode}{(Field(response, "Proxy-Status") is { } status ? $" ({status})" : "")}";
        await using var body = await response.Content.ReadAsStreamAsync(patience);
        var piece = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var offset = 0L;
            while (await body.ReadAsync(piece, patience) is > 0 and var count)
            {
                if (!Content.IsAt(piece.AsSpan(0, count), number, 0, offset))
                    return $"other bytes than the origin's after {offset}";
                offset += count;
            }

            return offset == size ? null : $"{offset} bytes of {size}";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static string? Field(HttpResponseMessage? response, string name) =>
        response is not null && response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}

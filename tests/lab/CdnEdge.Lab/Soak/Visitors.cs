using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Soak;

/// <summary>
/// The well-behaved: each request over HTTP/1.1, HTTP/1.1 with TLS or HTTP/2, for something held, something that expires,
/// something new, or a part of a large object, at a fixed rate. Whatever isn't exactly right is an error.
/// </summary>
internal sealed class Visitors : IAsyncDisposable
{
    /// <summary>Objects that everybody asks for, purged now and then.</summary>
    internal const int Held = 500;

    /// <summary>Large ones, of which parts are asked for.</summary>
    internal const int Large = 8;

    internal const int LargeSize = 1 << 20;

    internal const int HeldSize = 4096;

    private const int SmallSize = 16 * 1024;
    private const string Long = "ttl=86400";
    private const long FirstExpiring = 10_000;
    private const long FirstLarge = 20_000;
    private const long FirstNew = 1_000_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<Protocol, (CheckingClient Client, Uri Node)> _ways;
    private readonly Random _random = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<Visit> _visits = new();
    private Task _sending = Task.CompletedTask;
    private long _new = FirstNew;
    private int _underWay;

    internal Visitors(Uri plain, Uri tls) => _ways = Enum.GetValues<Protocol>()
        .ToDictionary(static protocol => protocol, protocol => (new CheckingClient(protocol), protocol == Protocol.Plain ? plain : tls));

    /// <summary>A request of a visitor and what came of it.</summary>
    /// <param name="Protocol">How it came.</param>
    /// <param name="Kind">What it was for.</param>
    /// <param name="Latency">From when it was due to its last byte.</param>
    /// <param name="Answer">What came.</param>
    internal sealed record Visit(Protocol Protocol, string Kind, TimeSpan Latency, Answered Answer);

    /// <summary>Path and query of something that is held.</summary>
    internal static string HeldTarget(int number) => Target(number, HeldSize, Long);

    /// <summary>Path and query of a large object.</summary>
    internal static string LargeTarget(int number) => Target(FirstLarge + number, LargeSize, Long);

    internal void Start(double rate) => _sending = SendAsync(rate);

    /// <summary>The visits that have ended since this was asked last.</summary>
    internal IReadOnlyList<Visit> Take()
    {
        List<Visit> taken = [];
        while (_visits.TryDequeue(out var visit))
            taken.Add(visit);
        return taken;
    }

    /// <summary>Sends no more, and waits for what is under way.</summary>
    internal async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _sending;
        while (Volatile.Read(ref _underWay) > 0) // each ends by itself, within its patience
            await Task.Delay(20);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var (client, _) in _ways.Values)
            client.Dispose();
        _stopping.Dispose();
    }

    private async Task SendAsync(double rate)
    {
        var began = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        for (var sent = 0; !_stopping.IsCancellationRequested;)
        {
            await timer.WaitForNextTickAsync();
            for (; sent / rate <= Stopwatch.GetElapsedTime(began).TotalSeconds; sent++)
                _ = VisitAsync((Protocol)(sent % _ways.Count), Next(), began, TimeSpan.FromSeconds(sent / rate));
        }
    }

    private async Task VisitAsync(Protocol protocol, Wish wish, long began, TimeSpan due)
    {
        Interlocked.Increment(ref _underWay);
        await Task.Yield();
        var (client, node) = _ways[protocol];
        var answer = await client.AskAsync(node, wish.Target, wish.Number, wish.Size, wish.Part);
        _visits.Enqueue(new Visit(protocol, wish.Kind, Stopwatch.GetElapsedTime(began) - due, answer));
        Interlocked.Decrement(ref _underWay);
    }

    private Wish Next()
    {
        var share = _random.Next(100);
        var held = _random.Next(Held);
        var large = FirstLarge + _random.Next(Large);
        return share switch
        {
            < 50 => new("held", HeldTarget(held), held, HeldSize),
            < 65 => Small("expiring", FirstExpiring + _random.Next(100), "ttl=2"),
            < 80 => Small("new", _new++, Long),
            < 85 => Small("unstorable", _new++, "ttl=-1"),
            < 90 => Of("part of something new", _new++, SomePart()),
            < 92 => Of("large", large, null),
            _ => Of("part", large, SomePart()),
        };

        static Wish Small(string kind, long number, string more) => new(kind, Target(number, SmallSize, more), number, SmallSize);

        static Wish Of(string kind, long number, Part? part) => new(kind, Target(number, LargeSize, Long), number, LargeSize, part);
    }

    private Part SomePart()
    {
        var from = _random.Next(LargeSize);
        return new Part(from, 1 + _random.Next(Math.Min(64 * 1024, LargeSize - from)));
    }

    private static string Target(long number, int size, string more) => string.Create(CultureInfo.InvariantCulture, $"/o/{number}?size={size}&{more}");

    /// <summary>What a visitor wants.</summary>
    private sealed record Wish(string Kind, string Target, long Number, int Size, Part? Part = null);
}

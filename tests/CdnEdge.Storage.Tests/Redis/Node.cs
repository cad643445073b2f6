using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using CdnEdge.Storage.Redis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Storage.Tests.Redis;

/// <summary>A node's Redis tier, with what it logged and counted.</summary>
internal sealed class Node : IAsyncDisposable, ILogger, IMeterFactory
{
    internal const string FirstKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    internal const string SecondKey = "YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=";

    private readonly RedisConnection _connection;
    private readonly SegmentArena _arena = new();
    private readonly List<Meter> _meters = [];
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, long> _counts = [];
    private readonly List<string> _log = [];

    internal Node(string connection, Action<RedisOptions>? configure = null, CachePolicy? policy = null)
    {
        Policy = policy ?? new CachePolicy();
        var options = new RedisOptions { Connection = connection, Keys = { ["a"] = FirstKey }, Timeout = TimeSpan.FromSeconds(5) };
        configure?.Invoke(options);
        Assert.Empty(RedisOptionsValidation.Errors("CdnEdge:Redis", options));
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            lock (_meters)
            {
                if (_meters.Contains(instrument.Meter))
                    listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            lock (_counts)
            {
                var name = $"{instrument.Name["cdnedge.redis.".Length..]} {(tags.Length == 0 ? "" : tags[0].Value)}".TrimEnd();
                _counts[name] = _counts.GetValueOrDefault(name) + value;
            }
        });
        _listener.Start();
        _connection = new RedisConnection(connection, this);
        Tier = RedisTier.Create(_connection, options, this, this, TimeProvider.System)!;
    }

    internal CachePolicy Policy { get; }

    internal RedisTier Tier { get; }

    internal string[] Logged
    {
        get
        {
            lock (_log)
                return [.. _log];
        }
    }

    internal long Count(string name)
    {
        lock (_counts)
            return _counts.GetValueOrDefault(name);
    }

    internal Task Connected() => Deadline.Until(() => Task.FromResult(_connection.Multiplexer?.IsConnected == true));

    internal void Store(string path, byte[]? body, string[]? response = null, string[]? request = null, long moment = 7, ITierLease? lease = null, int status = 200)
    {
        var requestHeaders = Headers(request ?? []);
        var headers = Headers(response ?? ["Cache-Control: max-age=60", "Content-Type: text/html", "ETag: \"x\""]);
        var directives = ResponseDirectives.Parse(headers, Policy);
        var now = TimeProvider.System.GetUtcNow();
        var head = StoredHead.Create(status, headers, requestHeaders, directives, Freshness.Of(status, headers, directives, Policy, now, now), Policy);
        var stored = body is null ? null : Content.Body(_arena, body);
        Tier.Store(new TierEntry(Responses.Key(path), head.Variance.SelectingKey(Policy, requestHeaders), head, stored, moment, lease));
        stored?.Release();
    }

    /// <summary>Stores and waits until what became of it is counted.</summary>
    internal async Task StoreAsync(string path, byte[]? body, string[]? response = null, string[]? request = null, string outcome = "stored")
    {
        var before = Count($"stores {outcome}");
        Store(path, body, response, request);
        await Deadline.Until(() => Task.FromResult(Count($"stores {outcome}") > before));
    }

    internal ValueTask<TierHit?> FindAsync(string path, params string[] request) =>
        Tier.FindAsync(Responses.Key(path), Policy, Headers(request), static (_, _) => true, TestContext.Current.CancellationToken);

    internal ValueTask<TierClaim> ClaimAsync(string path, TimeSpan patience) =>
        Tier.ClaimAsync(Responses.Key(path), Policy, Headers([]), static (_, _) => true, patience, TestContext.Current.CancellationToken);

    internal static async Task<byte[]> ReadAsync(TierHit hit)
    {
        await using (hit)
        {
            var all = new MemoryStream();
            while (await hit.Body!.ReadAsync(TestContext.Current.CancellationToken) is { IsEmpty: false } bytes)
                all.Write(bytes.Span);
            Assert.Equal(hit.Body.Length, all.Length);
            return all.ToArray();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Tier.DisposeAsync();
        await _connection.DisposeAsync();
        _listener.Dispose();
        _arena.Dispose();
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_log)
            _log.Add(eventId.Name ?? "");
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        lock (_meters)
            _meters.Add(meter);
        return meter;
    }

    public void Dispose()
    {
        foreach (var meter in _meters)
            meter.Dispose();
    }

    private static HeaderDictionary Headers(string[] lines)
    {
        var headers = new HeaderDictionary();
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Append(line[..colon], new StringValues(line[(colon + 1)..].Trim()));
        }

        return headers;
    }
}

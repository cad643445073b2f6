using CdnEdge.Storage;
using StackExchange.Redis;

namespace CdnEdge.Control;

/// <summary>
/// A PoP's log in the Redis that its nodes share: a stream. A script appends, so that each entry knows its predecessor
/// and which log it stands in. Other nodes are told by publish/subscribe and look every 50 ms anyway.
/// </summary>
/// <remarks>
/// A stream isn't read with BLOCK: the connection is shared, and a blocking command would hold up all others. The stream
/// outlives everything that is stored (<see cref="Retention"/>), and each append prolongs it.
/// </remarks>
internal sealed class RedisPurgeLog : IPurgeLog
{
    /// <summary>A call that takes longer counts as failed.</summary>
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    // ARGV: 1 the least position allowed, 2 its milliseconds, 3 its sequence, 4 most entries kept, 5 ms until the stream
    // goes if nobody appends, 6 a name should this be a new log, 7... the entries.
    private const string AppendScript = """
        local previous, log = '0-0', ARGV[6]
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
        if last[1] then
          previous = last[1][1]
          local fields = last[1][2]
          for i = 1, #fields, 2 do
            if fields[i] == 'log' then log = fields[i + 1] end
          end
        end
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local dash = string.find(previous, '-', 1, true)
        local ms, sequence = tonumber(string.sub(previous, 1, dash - 1)), tonumber(string.sub(previous, dash + 1))
        local least_ms, least_sequence = tonumber(ARGV[2]), tonumber(ARGV[3])
        local id = '*'
        if least_ms >= now and (least_ms > ms or (least_ms == ms and least_sequence > sequence)) then id = ARGV[1] end
        local ids = {}
        for i = 7, #ARGV do
          previous = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], id, 'previous', previous, 'log', log, 'entry', ARGV[i])
          ids[#ids + 1] = previous
          id = '*'
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
        redis.call('PUBLISH', KEYS[1] .. ':news', previous)
        return ids
        """;

    private readonly Func<IConnectionMultiplexer?> _redis;
    private readonly RedisKey _stream;
    private readonly RedisChannel _channel;
    private readonly long _maxEntries;
    private readonly Wake _news = new();
    private readonly string _newName = Guid.NewGuid().ToString("n");
    private readonly Lock _gate = new();
    private readonly AppendQueue _appends;
    private IConnectionMultiplexer? _subscribed;

    /// <param name="redis">The connection; null while there is none.</param>
    /// <param name="prefix">Of all keys, <c>cdnedge</c>.</param>
    /// <param name="maxEntries">About how many entries are kept.</param>
    /// <param name="retention">How long the stream stays if nobody appends. Longer than anything is stored.</param>
    internal RedisPurgeLog(Func<IConnectionMultiplexer?> redis, string prefix, long maxEntries, TimeSpan retention)
    {
        _redis = redis;
        _stream = StreamOf(prefix);
        _channel = RedisChannel.Literal($"{StreamOf(prefix)}:news");
        _maxEntries = maxEntries;
        Retention = retention;
        _appends = new AppendQueue(WriteAsync);
        _appends.Start();
    }

    /// <summary>How long the stream stays if nobody appends.</summary>
    internal TimeSpan Retention { get; }

    public Task News => _news.Next;

    public TimeSpan Poll { get; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The stream's key; in braces, so that a cluster keeps it with the keys that belong to it.</summary>
    internal static string StreamOf(string prefix) => $"{{{prefix}:purges}}";

    public Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation) =>
        _appends.AppendAsync(entries, after, cancellation);

    public async Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation)
    {
        await SubscribeAsync();
        var entries = await AskAsync(db => db.StreamRangeAsync(_stream, "(" + PurgeMoment.Format(after), "+", max), cancellation);
        return Array.ConvertAll(entries, Read);
    }

    public async Task<long> LastAsync(CancellationToken cancellation)
    {
        var last = await AskAsync(db => db.StreamRangeAsync(_stream, "-", "+", 1, Order.Descending), cancellation);
        return last is [var entry] ? MomentOf(entry.Id!) : 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _appends.DisposeAsync();
        if (_subscribed is not { } redis)
            return;
        try
        {
            await redis.GetSubscriber().UnsubscribeAsync(_channel).WaitAsync(Timeout);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            // Redis has gone, and the subscription with it.
        }
    }

    private async Task<IReadOnlyList<long>> WriteAsync(IReadOnlyList<PurgeEntry> entries, long after)
    {
        var least = PurgeMoment.Format(after + 1);
        var dash = least.IndexOf('-', StringComparison.Ordinal);
        var values = new List<RedisValue>
        {
            least, least[..dash], least[(dash + 1)..], _maxEntries, (long)Retention.TotalMilliseconds, _newName,
        };
        values.AddRange(entries.Select(static entry =>
            (RedisValue)System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(entry, PurgeJson.Default.PurgeEntry)));
        var ids = (string?[]?)await AskAsync(db => db.ScriptEvaluateAsync(AppendScript, [_stream], [.. values]), CancellationToken.None) ?? [];
        _news.Ring();
        return Array.ConvertAll(ids, static id => MomentOf(id!));
    }

    // Another program's entry has none of this: known to be there, not to be read.
    private static PurgeRecord Read(StreamEntry entry)
    {
        var id = MomentOf(entry.Id!);
        return PurgeMoment.TryParse((string?)entry["previous"], out var previous) && (string?)entry["log"] is { } log
            ? new PurgeRecord(id, previous, log, PurgeJson.ReadEntry((byte[]?)entry["entry"]))
            : new PurgeRecord(id, 0, "", null);
    }

    private static long MomentOf(string id) => PurgeMoment.TryParse(id, out var moment)
        ? moment
        : throw new PurgeLogUnavailableException($"The log of purges in Redis has an entry {id}, which none of ours can have: another program's?");

    private async Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask, CancellationToken cancellation)
    {
        var redis = _redis() ?? throw new PurgeLogUnavailableException("There is no connection to Redis, which holds the log of purges.");
        try
        {
            return await ask(redis.GetDatabase()).WaitAsync(Timeout, cancellation);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw new PurgeLogUnavailableException($"Redis, which holds the log of purges, doesn't do it: {exception.Message}", exception);
        }
    }

    private async Task SubscribeAsync()
    {
        var redis = _redis();
        lock (_gate)
        {
            if (redis is not { IsConnected: true } || ReferenceEquals(redis, _subscribed))
                return;
            _subscribed = redis;
        }

        try
        {
            await redis.GetSubscriber().SubscribeAsync(_channel, (_, _) => _news.Ring()).WaitAsync(Timeout);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            // Polled without; tried again with the next read.
            lock (_gate)
                _subscribed = null;
        }
    }
}

using CdnEdge.Storage;
using StackExchange.Redis;

namespace CdnEdge.Control;

/// <summary>
/// A PoP's log in the Redis that its nodes share: a stream of purges and, beside it, one of what traffic made outdated. A script
/// appends, so that each entry knows its predecessor and which log it stands in. Other nodes are told by publish/subscribe and
/// look every 50 ms anyway.
/// </summary>
/// <remarks>
/// <para>A stream isn't read with BLOCK: the connection is shared, and a blocking command would hold up all others. The streams
/// outlive everything that is stored (<see cref="Retention"/>), and each append prolongs them.</para>
/// <para>Positions are given in the order of both streams together. Their sequence numbers are multiples of
/// <see cref="Step"/>: what a node counts up by itself between two entries (<see cref="PurgeEpochs.RaiseNow"/>) stays below the
/// next position, whichever node gets that.</para>
/// </remarks>
internal sealed class RedisPurgeLog : IPurgeLog, ITrafficLog
{
    /// <summary>A call that takes longer counts as failed.</summary>
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>What lies between two positions of one millisecond.</summary>
    internal const long Step = 1024;

    /// <summary>About how many entries of what traffic made outdated are kept.</summary>
    internal const int MaxTrafficEntries = 5_000;

    // KEYS: 1 the stream to append to, 2 the other one. ARGV: 1 and 2 milliseconds and sequence of the position to come after,
    // 3 most entries kept, 4 ms until the stream goes if nobody appends, 5 a name should this be a new log, 6 the step,
    // 7 positions in a millisecond, 8 the channel, 9... the entries. Positions are computed here, not by '*': that one's clock isn't
    // TIME's, and knows nothing of the other stream.
    private const string AppendScript = """
        local function last_of(stream)
          local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
          if not last then return '0-0', 0, 0, nil end
          local log
          for i = 1, #last[2], 2 do
            if last[2][i] == 'log' then log = last[2][i + 1] end
          end
          local dash = string.find(last[1], '-', 1, true)
          return last[1], tonumber(string.sub(last[1], 1, dash - 1)), tonumber(string.sub(last[1], dash + 1)), log
        end
        local previous, ms, sequence, log = last_of(KEYS[1])
        local function after(other_ms, other_sequence)
          if other_ms > ms or (other_ms == ms and other_sequence > sequence) then ms, sequence = other_ms, other_sequence end
        end
        local _, other_ms, other_sequence = last_of(KEYS[2])
        after(other_ms, other_sequence)
        after(tonumber(ARGV[1]), tonumber(ARGV[2]))
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local step = tonumber(ARGV[6])
        local ids = {}
        for i = 9, #ARGV do
          sequence = (math.floor(sequence / step) + 1) * step
          if sequence >= tonumber(ARGV[7]) then ms, sequence = ms + 1, 0 end
          if now > ms then ms, sequence = now, 0 end
          local id = string.format('%.0f-%.0f', ms, sequence)
          redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], id, 'previous', previous, 'log', log or ARGV[5], 'entry', ARGV[i])
          ids[#ids + 1] = id
          previous = id
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        redis.call('PUBLISH', ARGV[8], previous)
        return ids
        """;

    private readonly Func<IConnectionMultiplexer?> _redis;
    private readonly RedisKey _purges;
    private readonly RedisKey _traffic;
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
        _purges = StreamOf(prefix);
        _traffic = TrafficOf(prefix);
        _channel = RedisChannel.Literal($"{StreamOf(prefix)}:news");
        _maxEntries = maxEntries;
        Retention = retention;
        _appends = new AppendQueue((entries, after) => WriteAsync(_purges, entries, after));
        _appends.Start();
    }

    /// <summary>How long the stream stays if nobody appends.</summary>
    internal TimeSpan Retention { get; }

    public Task News => _news.Next;

    public TimeSpan Poll { get; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The stream's key; in braces, so that a cluster keeps it with the keys that belong to it.</summary>
    internal static string StreamOf(string prefix) => $"{{{prefix}:purges}}";

    /// <summary>The key of the stream of what traffic made outdated.</summary>
    internal static string TrafficOf(string prefix) => StreamOf(prefix) + ":traffic";

    public Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation) =>
        _appends.AppendAsync(entries, after, cancellation);

    public async Task<long> AppendTrafficAsync(PurgeEntry entry, long after, CancellationToken cancellation) =>
        (await WriteAsync(_traffic, [entry], after))[0];

    public async Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation)
    {
        await SubscribeAsync();
        var (purges, traffic) = await ReadBothAsync("(" + PurgeMoment.Format(after), max, Order.Ascending, cancellation);

        // Where one has more than was read, the other is known no further than that either.
        var end = Math.Min(EndOf(purges, max), EndOf(traffic, max));
        return [.. purges.Select(static entry => Read(entry, isTraffic: false))
            .Concat(traffic.Select(static entry => Read(entry, isTraffic: true)))
            .Where(record => record.Id <= end)
            .OrderBy(static record => record.Id)];
    }

    public async Task<IReadOnlyList<PurgeRecord>> ReadPurgesAsync(long after, int max, CancellationToken cancellation)
    {
        var entries = await AskAsync(db => db.StreamRangeAsync(_purges, "(" + PurgeMoment.Format(after), "+", max), cancellation);
        return Array.ConvertAll(entries, static entry => Read(entry, isTraffic: false));
    }

    public async Task<PurgeLogEnd> LastAsync(CancellationToken cancellation)
    {
        var (purges, traffic) = await ReadBothAsync("-", 1, Order.Descending, cancellation);
        return new PurgeLogEnd(purges is [var purge] ? MomentOf(purge.Id!) : 0, traffic is [var last] ? MomentOf(last.Id!) : 0);
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

    private async Task<IReadOnlyList<long>> WriteAsync(RedisKey stream, IReadOnlyList<PurgeEntry> entries, long after)
    {
        var position = PurgeMoment.Format(after);
        var dash = position.IndexOf('-', StringComparison.Ordinal);
        var isTraffic = stream == _traffic;
        var values = new List<RedisValue>
        {
            position[..dash],
            position[(dash + 1)..],
            isTraffic ? MaxTrafficEntries : _maxEntries,
            (long)Retention.TotalMilliseconds,
            _newName,
            Step,
            PurgeMoment.InMillisecond,
            (string?)_channel,
        };
        values.AddRange(entries.Select(static entry =>
            (RedisValue)System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(entry, PurgeJson.Default.PurgeEntry)));
        RedisKey[] keys = [stream, isTraffic ? _purges : _traffic];
        var ids = (string?[]?)await AskAsync(db => db.ScriptEvaluateAsync(AppendScript, keys, [.. values]), CancellationToken.None) ?? [];
        _news.Ring();
        return Array.ConvertAll(ids, static id => MomentOf(id!));
    }

    // As they are at one moment: what is read of one is all there is before what is read of the other.
    private Task<(StreamEntry[] Purges, StreamEntry[] Traffic)> ReadBothAsync(string from, int max, Order order, CancellationToken cancellation) => AskAsync(
        async db =>
        {
            var together = db.CreateTransaction();
            var purges = together.StreamRangeAsync(_purges, from, "+", max, order);
            var traffic = together.StreamRangeAsync(_traffic, from, "+", max, order);
            await together.ExecuteAsync();
            return (await purges, await traffic);
        },
        cancellation);

    private static long EndOf(StreamEntry[] page, int max) => page.Length == max ? MomentOf(page[^1].Id!) : long.MaxValue;

    // Another program's entry has none of this: known to be there, not to be read.
    internal static PurgeRecord Read(StreamEntry entry, bool isTraffic)
    {
        var id = MomentOf(entry.Id!);
        return PurgeMoment.TryParse((string?)entry["previous"], out var previous) && (string?)entry["log"] is { } log
            ? new PurgeRecord(id, previous, log, PurgeJson.ReadEntry((byte[]?)entry["entry"]), isTraffic)
            : new PurgeRecord(id, 0, "", null, isTraffic);
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

using System.Threading.Channels;
using CdnEdge.Caching;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>
/// Writes responses in their own time, a few at once: chunks first, then the record that names them, so that nobody
/// finds half an object. What comes when too many wait is dropped.
/// </summary>
internal sealed class RedisWriter : IAsyncDisposable
{
    private const int Writers = 4;
    private const int MaxWaiting = 1024;
    private const long MaxWaitingBytes = 128L * 1024 * 1024;

    /// <summary>Chunks outlive their record by this: who has just found it can read on.</summary>
    private static readonly TimeSpan ChunksLonger = TimeSpan.FromMinutes(1);

    /// <summary>What a URL varies by is kept longer than one variant that happens to be short-lived.</summary>
    private static readonly TimeSpan VaryAtLeast = TimeSpan.FromHours(1);

    private readonly RedisTier _tier;
    private readonly RedisOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<TierEntry> _waiting = Channel.CreateBounded<TierEntry>(MaxWaiting);
    private readonly Task[] _writers;
    private long _waitingBytes;

    internal RedisWriter(RedisTier tier, RedisOptions options, TimeProvider time)
    {
        _tier = tier;
        _options = options;
        _time = time;
        _writers = [.. Enumerable.Range(0, Writers).Select(_ => Task.Run(WriteAllAsync))];
    }

    internal void Enqueue(TierEntry entry)
    {
        var outcome = Admit(entry);
        if (outcome is null)
            return;
        _tier.Metrics.Wrote(outcome.Value);
        GiveUp(entry);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_waiting.Writer.TryComplete())
            return;
        await _stopping.CancelAsync();
        await Task.WhenAll(_writers);
        while (_waiting.Reader.TryRead(out var entry))
        {
            Done(entry);
            GiveUp(entry);
        }

        _stopping.Dispose();
    }

    /// <summary>Null: it's waiting.</summary>
    private StoreOutcome? Admit(TierEntry entry)
    {
        var length = entry.Body?.Length ?? 0;
        if (entry.Body is { } whole && (length < 0 || !whole.Covers(new ByteRange(0, length))))
            return StoreOutcome.Unsuitable;
        if (entry.Head.Status == 206 || entry.Head.Variance.IsStar || length > _options.MaxObjectBytes || LifetimeOf(entry.Head) <= TimeSpan.Zero)
            return StoreOutcome.Unsuitable;
        if (_tier.Calls.IsOpen)
            return StoreOutcome.Open;
        if (Interlocked.Add(ref _waitingBytes, length) - length > MaxWaitingBytes)
        {
            Interlocked.Add(ref _waitingBytes, -length);
            return StoreOutcome.Dropped;
        }

        if (entry.Body is { } body && !body.TryAcquire())
        {
            Interlocked.Add(ref _waitingBytes, -length);
            return StoreOutcome.Unsuitable;
        }

        if (_waiting.Writer.TryWrite(entry))
            return null;
        Done(entry);
        return StoreOutcome.Dropped;
    }

    private async Task WriteAllAsync()
    {
        await foreach (var entry in _waiting.Reader.ReadAllAsync(CancellationToken.None))
        {
            try
            {
                _tier.Metrics.Wrote(await WriteAsync(entry, _stopping.Token));
            }
            catch (OperationCanceledException)
            {
                _tier.Metrics.Wrote(StoreOutcome.Dropped);
            }
            finally
            {
                Done(entry);
                GiveUp(entry);
            }
        }
    }

    private async ValueTask<StoreOutcome> WriteAsync(TierEntry entry, CancellationToken cancellation)
    {
        var names = new RedisNames(_options.Prefix, entry.Key);
        var lifetime = LifetimeOf(entry.Head);
        if (lifetime <= TimeSpan.Zero)
            return StoreOutcome.Unsuitable;

        var varies = entry.Head.Variance.Varies;
        var selecting = varies ? entry.Selecting : "";
        var length = entry.Body?.Length ?? -1;
        var compresses = _options.Compress && Packing.IsWorthwhile(entry.Head);
        var objectId = Sealing.NewObjectId();
        var chunks = RedisRecord.ChunksOf(length);
        for (var i = 0; i < chunks; i++)
        {
            var packed = Run(entry.Body!, (long)i * RedisRecord.ChunkBytes, RedisRecord.ChunkBytes, compresses);
            var chunk = _tier.Sealing.Seal(RedisRecord.Chunk, objectId, i + 1, names.Place(selecting, length), packed.Span);
            if (await SetAsync(names.Chunk(objectId, i), chunk, lifetime + ChunksLonger, cancellation) is { } failed)
                return failed;
        }

        var inline = chunks == 0 && length >= 0 ? Run(entry.Body!, 0, RedisRecord.InlineBytes, compresses) : default;
        var record = RedisRecord.Write(entry.Head, entry.Moment, length, inline.Span);
        var value = _tier.Sealing.Seal(RedisRecord.Response, objectId, 0, names.Place(selecting, -1), record);
        if (!varies)
            return await SetAsync(names.Resource, value, lifetime, cancellation) ?? StoreOutcome.Stored;

        var vary = await VaryAsync(names, RedisRecord.WriteVary(entry.Head.Variance.VaryNames), cancellation);
        if (await SetAsync(names.Variant(vary.Id, selecting), value, lifetime, cancellation) is { } failure)
            return failure;

        // Last, so that nobody looks for a variant that isn't there yet; and there for as long as any of them.
        var varyLifetime = lifetime > VaryAtLeast ? lifetime : VaryAtLeast;
        return vary.ToWrite is { } sealedVary
            ? await SetAsync(names.Resource, sealedVary, varyLifetime, cancellation) ?? StoreOutcome.Stored
            : await ProlongAsync(names.Resource, varyLifetime, cancellation);
    }

    /// <summary>The record of what a URL varies by: the one that is there, if it says the same, else a new one, which is to be written.</summary>
    private async ValueTask<(byte[] Id, byte[]? ToWrite)> VaryAsync(RedisNames names, byte[] vary, CancellationToken cancellation)
    {
        var place = names.Place("", -1);
        var present = await _tier.Calls.CallAsync(static (database, name) => database.StringGetLeaseAsync(name)!, names.Resource, _tier.ChunkTimeout, cancellation);
        using var value = present.Value;
        if (value is not null
            && _tier.Sealing.Open(value.ArraySegment.AsMemory(), RedisRecord.Vary, default, 0, place, out var id, out var opened) == SealFault.None
            && opened.Span.SequenceEqual(vary))
        {
            return (id, null);
        }

        id = Sealing.NewObjectId();
        return (id, _tier.Sealing.Seal(RedisRecord.Vary, id, 0, place, vary));
    }

    private async ValueTask<StoreOutcome> ProlongAsync(RedisKey name, TimeSpan lifetime, CancellationToken cancellation)
    {
        var answer = await _tier.Calls.CallAsync(
            static (database, prolong) => database.KeyExpireAsync(prolong.name, prolong.lifetime, ExpireWhen.GreaterThanCurrentExpiry),
            (name, lifetime),
            _tier.ChunkTimeout,
            cancellation);
        return OutcomeOf(answer.Status) ?? StoreOutcome.Stored;
    }

    /// <summary>Null: written.</summary>
    private async ValueTask<StoreOutcome?> SetAsync(RedisKey name, byte[] value, TimeSpan lifetime, CancellationToken cancellation)
    {
        var answer = await _tier.Calls.CallAsync(
            static (database, set) => database.StringSetAsync(set.name, set.value, set.lifetime, When.Always),
            (name, value, lifetime),
            _tier.ChunkTimeout,
            cancellation);
        _tier.Calls.Wrote(answer.Status, answer.Error);
        return OutcomeOf(answer.Status);
    }

    private static StoreOutcome? OutcomeOf(CallStatus status) => status switch
    {
        CallStatus.Done => null,
        CallStatus.Open => StoreOutcome.Open,
        CallStatus.Refused => StoreOutcome.Refused,
        _ => StoreOutcome.Error,
    };

    private static ReadOnlyMemory<byte> Run(StoredBody body, long offset, int most, bool compresses)
    {
        var run = new byte[1 + (int)Math.Min(most, body.Length - offset)];
        for (var written = 1; written < run.Length;)
        {
            var bytes = body.Read(offset + written - 1, run.Length - written);
            if (bytes.IsEmpty)
                throw new InvalidOperationException("A body that is to be written isn't whole.");
            bytes.Span.CopyTo(run.AsSpan(written));
            written += bytes.Length;
        }

        return Packing.Pack(run, compresses);
    }

    /// <summary>Until neither freshness nor any window lets it be used, at most as configured.</summary>
    private TimeSpan LifetimeOf(StoredHead head)
    {
        var window = Math.Max(head.StaleWhileRevalidate.Ticks, Math.Max(head.StaleIfError.Ticks, head.Grace.Ticks));
        var most = _options.MaxAge.Ticks;
        return TimeSpan.FromTicks(Math.Min(most, Math.Min(most, head.Freshness.Remaining(_time.GetUtcNow()).Ticks) + Math.Min(most, window)));
    }

    private void Done(TierEntry entry)
    {
        Interlocked.Add(ref _waitingBytes, -(entry.Body?.Length ?? 0));
        entry.Body?.Release();
    }

    /// <summary>Waits for nobody: a lease runs out by itself.</summary>
    private static void GiveUp(TierEntry entry)
    {
        if (entry.Lease is { } lease)
            _ = lease.DisposeAsync().AsTask();
    }
}

using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>A body of several chunks, of which the next few are under way while one is read.</summary>
internal sealed class RedisBody : ITierBody
{
    private const int ReadAhead = 3;

    private readonly RedisTier _tier;
    private readonly RedisNames _names;
    private readonly byte[] _objectId;
    private readonly byte[] _place;
    private readonly int _count;
    private readonly CancellationTokenSource _leaving = new();
    private readonly Queue<Task<CallResult<Lease<byte>?>>> _underWay = new();
    private Lease<byte>? _present;
    private int _asked;
    private int _read;

    internal RedisBody(RedisTier tier, RedisNames names, string selecting, byte[] objectId, long length)
    {
        _tier = tier;
        _names = names;
        _objectId = objectId;
        _place = names.Place(selecting, length);
        _count = RedisRecord.ChunksOf(length);
        Length = length;
    }

    public long Length { get; }

    /// <summary>The first chunk, had in time, while the next are asked for; false: there's none.</summary>
    internal async ValueTask<bool> TryBeginAsync(TimeSpan within, CancellationToken cancellation)
    {
        _underWay.Enqueue(AskAsync(_asked++, within));
        AskAhead();
        // Whether all the others are there (an eviction takes single ones), and from now on among those used last.
        var keys = new RedisKey[_count];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = _names.Chunk(_objectId, i);
        var there = await _tier.Calls.CallAsync(static (database, keys) => database.KeyTouchAsync(keys), keys, within, cancellation);
        return there is { Status: CallStatus.Done } && there.Value == _count && (await _underWay.Peek()).Value is not null;
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellation)
    {
        _present?.Dispose();
        _present = null;
        if (_read == _count)
            return default;
        var answer = await _underWay.Peek().WaitAsync(cancellation);
        _ = _underWay.Dequeue();
        AskAhead();
        _present = answer.Value;
        var length = (int)Math.Min(RedisRecord.ChunkBytes, Length - (long)_read * RedisRecord.ChunkBytes);
        _read++;
        if (_present is null)
            throw Broken(answer.Error ?? answer.Status.ToString());
        var fault = _tier.Sealing.Open(_present.ArraySegment.AsMemory(), RedisRecord.Chunk, _objectId, _read, _place, out _, out var opened);
        if (fault != SealFault.None)
        {
            _tier.Metrics.Rejected(fault);
            throw Broken(fault.ToString());
        }

        return Packing.TryUnpack(opened, length, out var bytes) ? bytes : throw Broken(nameof(SealFault.Foreign));
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        _present?.Dispose();
        _present = null;
        while (_underWay.TryDequeue(out var late))
            _ = DropAsync(late);
        _leaving.Dispose();
    }

    private void AskAhead()
    {
        while (_underWay.Count < ReadAhead && _asked < _count)
            _underWay.Enqueue(AskAsync(_asked++, _tier.ChunkTimeout));
    }

    private async Task<CallResult<Lease<byte>?>> AskAsync(int index, TimeSpan within) => await _tier.Calls.CallAsync(
        static (database, key) => database.StringGetLeaseAsync(key)!, _names.Chunk(_objectId, index), within, _leaving.Token);

    private static async Task DropAsync(Task<CallResult<Lease<byte>?>> late)
    {
        await ((Task)late).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (late.IsCompletedSuccessfully)
            late.Result.Value?.Dispose();
    }

    private IOException Broken(string reason)
    {
        _tier.Metrics.BodyBroke();
        return new IOException($"Chunk {_read} of {_count} could not be had from Redis: {reason}");
    }
}

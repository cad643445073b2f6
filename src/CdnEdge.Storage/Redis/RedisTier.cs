using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>The tier that a PoP's nodes share. Whatever is wrong with Redis or with what's in it, it's as if nothing were there.</summary>
internal sealed partial class RedisTier : ISecondTier
{
    /// <summary>How long the circuit stays open.</summary>
    internal static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(1);

    /// <summary>How long a node's start waits for Redis.</summary>
    private static readonly TimeSpan PatienceAtStart = TimeSpan.FromSeconds(2);

    private readonly RedisConnection _connection;
    private readonly RedisOptions _options;
    private readonly TimeProvider _time;
    private readonly RedisWriter _writer;

    /// <param name="connection">Not owned: the purge log uses it too.</param>
    internal RedisTier(RedisConnection connection, RedisOptions options, KeyRing ring, IMeterFactory meters, ILogger log, TimeProvider time)
    {
        _connection = connection;
        _options = options;
        _time = time;
        Calls = new RedisCalls(connection, log, time, BreakDuration);
        Sealing = new Sealing(ring);
        Metrics = new RedisMetrics(meters, () => Calls.IsOpen);
        ChunkTimeout = options.Timeout * 10 > TimeSpan.FromSeconds(1) ? options.Timeout * 10 : TimeSpan.FromSeconds(1);
        _writer = new RedisWriter(this, options, time);
    }

    internal RedisCalls Calls { get; }

    internal Sealing Sealing { get; }

    internal RedisMetrics Metrics { get; }

    /// <summary>For what isn't the first byte of an answer, and for writes.</summary>
    internal TimeSpan ChunkTimeout { get; }

    /// <summary>Null where the options leave it off, which is said where somebody may wonder why.</summary>
    /// <param name="options">Valid ones.</param>
    internal static RedisTier? Create(RedisConnection? connection, RedisOptions options, IMeterFactory meters, ILogger log, TimeProvider time)
    {
        if (connection is null)
            return null;
        var ring = KeyRing.Read(options, new PolicyErrors("CdnEdge:Redis"));
        if (ring is not null)
            return new RedisTier(connection, options, ring, meters, log, time);
        if (options.AllowPlaintext)
            return new RedisTier(connection, options, KeyRing.Plaintext, meters, log, time);
        Log.NoKey(log);
        return null;
    }

    public async Task StartAsync(CancellationToken cancellation)
    {
        await _connection.FirstAttemptAsync(PatienceAtStart, cancellation);

        // A first call is compiled on the way: no request is to pay for that, let alone run out of time by it.
        await Calls.CallAsync(static (database, name) => database.StringGetLeaseAsync(name)!, (RedisKey)_options.Prefix, PatienceAtStart, cancellation);
    }

    public async ValueTask<TierHit?> FindAsync(CacheKey key, CachePolicy policy, IHeaderDictionary requestHeaders, Func<StoredHead, long, bool> accepts, CancellationToken cancellation) =>
        (await LookUpAsync(new RedisNames(_options.Prefix, key), policy, requestHeaders, accepts, cancellation)).Hit;

    public async ValueTask<TierClaim> ClaimAsync(
        CacheKey key, CachePolicy policy, IHeaderDictionary requestHeaders, Func<StoredHead, long, bool> accepts, TimeSpan patience, CancellationToken cancellation)
    {
        var names = new RedisNames(_options.Prefix, key);
        var began = _time.GetTimestamp();
        var pause = RedisLease.FirstPause;
        while (true)
        {
            var found = await LookUpAsync(names, policy, requestHeaders, accepts, cancellation);
            if (found.Hit is not null)
                return new(TierClaimKind.Found, found.Hit);
            if (found.Outcome is LookupOutcome.Error or LookupOutcome.Open)
                return new(TierClaimKind.Alone);

            var (state, lease) = await RedisLease.TryAcquireAsync(Calls, names.Lease(found.Selecting), _options.Timeout, _time, cancellation);
            switch (state)
            {
                case LeaseState.Acquired:
                    return await LeadAsync(lease!, names, policy, requestHeaders, accepts, cancellation);
                case LeaseState.Uncacheable:
                    return new(TierClaimKind.Uncacheable);
                case LeaseState.Unknown:
                    return new(TierClaimKind.Alone);
            }

            if (_time.GetElapsedTime(began) + pause > patience)
                return new(TierClaimKind.Alone);
            await Task.Delay(pause, _time, cancellation);
            pause = pause * 1.5 < RedisLease.LongestPause ? pause * 1.5 : RedisLease.LongestPause;
        }
    }

    public void Store(TierEntry entry) => _writer.Enqueue(entry);

    public async ValueTask<bool> RemoveAsync(CacheKey key)
    {
        var removed = await Calls.CallAsync(
            static (database, name) => database.KeyDeleteAsync(name),
            new RedisNames(_options.Prefix, key).Resource,
            ChunkTimeout,
            CancellationToken.None);
        return removed is not { Status: CallStatus.Done, Value: false };
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        Metrics.Dispose();
    }

    /// <summary>It may have been stored between the look and the lease.</summary>
    private async ValueTask<TierClaim> LeadAsync(
        RedisLease lease, RedisNames names, CachePolicy policy, IHeaderDictionary requestHeaders, Func<StoredHead, long, bool> accepts, CancellationToken cancellation)
    {
        var leads = false;
        try
        {
            var found = await LookUpAsync(names, policy, requestHeaders, accepts, cancellation);
            leads = found.Hit is null;
            return leads ? new(TierClaimKind.Lead, Lease: lease) : new(TierClaimKind.Found, found.Hit);
        }
        finally
        {
            if (!leads)
                await lease.DisposeAsync();
        }
    }

    private async ValueTask<Found> LookUpAsync(
        RedisNames names, CachePolicy policy, IHeaderDictionary requestHeaders, Func<StoredHead, long, bool> accepts, CancellationToken cancellation)
    {
        var found = await SearchAsync(new Search(names, policy, requestHeaders, accepts, _time.GetTimestamp()), cancellation);
        Metrics.Looked(found.Outcome);
        return found;
    }

    private async ValueTask<Found> SearchAsync(Search search, CancellationToken cancellation)
    {
        var selecting = Variance.PolicyKey(search.Policy, search.RequestHeaders);
        var (outcome, value) = await GetAsync(search, search.Names.Resource, cancellation);
        using var first = value;
        if (first is null)
            return new(outcome, selecting);
        if (!IsVary(first))
            return await ResponseAsync(search, first, place: "", selecting, cancellation);

        if (!TryOpen(search, first, RedisRecord.Vary, "", out var varyId, out var opened) || RedisRecord.ReadVary(opened.Span) is not { } varyNames)
            return new(LookupOutcome.Rejected, selecting);
        selecting = Variance.SelectingKey(search.Policy, varyNames, search.RequestHeaders);
        (outcome, value) = await GetAsync(search, search.Names.Variant(varyId, selecting), cancellation);
        using var second = value;
        return second is null ? new(outcome, selecting) : await ResponseAsync(search, second, selecting, selecting, cancellation);
    }

    private async ValueTask<Found> ResponseAsync(Search search, Lease<byte> value, string place, string selecting, CancellationToken cancellation)
    {
        if (!TryOpen(search, value, RedisRecord.Response, place, out var objectId, out var opened))
            return new(LookupOutcome.Rejected, selecting);
        if (RedisRecord.Read(opened) is not { } record)
        {
            Metrics.Rejected(SealFault.Foreign);
            return new(LookupOutcome.Rejected, selecting);
        }

        if (!record.Head.Variance.Matches(search.Policy, search.RequestHeaders) || !search.Accepts(record.Head, record.Moment))
            return new(LookupOutcome.Miss, selecting);
        if (RedisRecord.ChunksOf(record.Length) == 0)
        {
            // The value goes back to its pool.
            var inline = record.Length < 0 ? null : new InlineBody(record.Inline.ToArray());
            return new(LookupOutcome.Hit, selecting, new TierHit(record.Head, record.Moment, inline));
        }

        var body = new RedisBody(this, search.Names, place, objectId, record.Length);
        var begun = false;
        try
        {
            begun = await body.TryBeginAsync(Left(search), cancellation);
            return begun ? new(LookupOutcome.Hit, selecting, new TierHit(record.Head, record.Moment, body)) : new(LookupOutcome.Miss, selecting);
        }
        finally
        {
            if (!begun)
                await body.DisposeAsync();
        }
    }

    private async ValueTask<(LookupOutcome Outcome, Lease<byte>? Value)> GetAsync(Search search, RedisKey name, CancellationToken cancellation)
    {
        var answer = await Calls.CallAsync(static (database, name) => database.StringGetLeaseAsync(name)!, name, Left(search), cancellation);
        if (answer.Status == CallStatus.Refused && answer.Error!.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            Metrics.Rejected(SealFault.Foreign);
            return (LookupOutcome.Rejected, null);
        }

        return answer.Status switch
        {
            CallStatus.Done => (LookupOutcome.Miss, answer.Value),
            CallStatus.Open => (LookupOutcome.Open, null),
            _ => (LookupOutcome.Error, null),
        };
    }

    private bool TryOpen(Search search, Lease<byte> value, byte kind, string place, out byte[] objectId, out Memory<byte> opened)
    {
        var fault = Sealing.Open(value.ArraySegment.AsMemory(), kind, default, 0, search.Names.Place(place, -1), out objectId, out opened);
        if (fault != SealFault.None)
            Metrics.Rejected(fault);
        return fault == SealFault.None;
    }

    private static bool IsVary(Lease<byte> value) => Sealing.KindOf(value.Span) == RedisRecord.Vary;

    /// <summary>All calls until the first byte share one deadline.</summary>
    private TimeSpan Left(Search search)
    {
        var left = _options.Timeout - _time.GetElapsedTime(search.Began);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private readonly record struct Search(RedisNames Names, CachePolicy Policy, IHeaderDictionary RequestHeaders, Func<StoredHead, long, bool> Accepts, long Began);

    private readonly record struct Found(LookupOutcome Outcome, string Selecting, TierHit? Hit = null);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The Redis tier stays off: CdnEdge:Redis:Keys has no key to encrypt with. 'openssl rand -base64 32' makes one; CdnEdge:Redis:AllowPlaintext does without.", EventName = "RedisNoKey")]
        public static partial void NoKey(ILogger logger);
    }
}

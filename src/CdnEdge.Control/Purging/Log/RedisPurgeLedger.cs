using System.Globalization;
using StackExchange.Redis;

namespace CdnEdge.Control;

/// <summary>The ledger in the Redis that a PoP's nodes share. All its keys have the log's slot in a cluster, and a time to live.</summary>
/// <param name="redis">The connection; null while there is none.</param>
/// <param name="prefix">Of all keys.</param>
/// <param name="retention">How long a peer's cursor stays that nobody moves.</param>
internal sealed class RedisPurgeLedger(Func<IConnectionMultiplexer?> redis, string prefix, TimeSpan retention) : IPurgeLedger
{
    /// <summary>A node that hasn't reported for so long isn't alive.</summary>
    internal static readonly TimeSpan NodeTtl = TimeSpan.FromSeconds(5);

    private const string LeadScript = """
        local holder = redis.call('GET', KEYS[1])
        if holder and holder ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return 1
        """;

    private readonly string _base = RedisPurgeLog.StreamOf(prefix);

    public Task ReportAsync(string node, long position, CancellationToken cancellation) => AskAsync(
        async db =>
        {
            var named = db.SetAddAsync(_base + ":nodes", node);
            var kept = db.KeyExpireAsync(_base + ":nodes", retention);
            var logKept = db.KeyExpireAsync(_base, retention);
            var trafficKept = db.KeyExpireAsync(RedisPurgeLog.TrafficOf(prefix), retention);
            await db.StringSetAsync(KeyOfNode(node), position, NodeTtl);
            await Task.WhenAll(named, kept, logKept, trafficKept);
            return true;
        },
        cancellation);

    public Task<IReadOnlyDictionary<string, long>> NodesAsync(CancellationToken cancellation) => AskAsync<IReadOnlyDictionary<string, long>>(
        async db =>
        {
            var names = await db.SetMembersAsync(_base + ":nodes");
            var positions = await db.StringGetAsync(Array.ConvertAll(names, name => KeyOfNode(name!)));
            var alive = new Dictionary<string, long>();
            for (var i = 0; i < names.Length; i++)
            {
                if (positions[i].TryParse(out long position))
                    alive[names[i]!] = position;
                else
                    await db.SetRemoveAsync(_base + ":nodes", names[i]);
            }

            return alive;
        },
        cancellation);

    public Task<bool> TryLeadAsync(string peer, string node, TimeSpan lease, CancellationToken cancellation) => AskAsync(
        async db => (bool)await db.ScriptEvaluateAsync(LeadScript, [_base + ":lead:" + peer], [node, (long)lease.TotalMilliseconds]), cancellation);

    public Task<PeerState?> PeerAsync(string peer, CancellationToken cancellation) => AskAsync(
        async db =>
        {
            var values = await db.HashGetAsync(KeyOfPeer(peer), ["cursor", "error"]);
            return values[0].TryParse(out long cursor) ? new PeerState(cursor, values[1].IsNullOrEmpty ? null : (string?)values[1]) : null;
        },
        cancellation);

    public Task SetPeerAsync(string peer, PeerState state, CancellationToken cancellation) => AskAsync(
        async db =>
        {
            var set = db.HashSetAsync(
                KeyOfPeer(peer), [new("cursor", state.Cursor.ToString(CultureInfo.InvariantCulture)), new("error", state.Error ?? "")]);
            await db.KeyExpireAsync(KeyOfPeer(peer), retention);
            await set;
            return true;
        },
        cancellation);

    private RedisKey KeyOfNode(string node) => _base + ":node:" + node;

    private RedisKey KeyOfPeer(string peer) => _base + ":peer:" + peer;

    private async Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask, CancellationToken cancellation)
    {
        var connection = redis() ?? throw new PurgeLogUnavailableException("There is no connection to Redis, which knows how far nodes and places are.");
        try
        {
            return await ask(connection.GetDatabase()).WaitAsync(RedisPurgeLog.Timeout, cancellation);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw new PurgeLogUnavailableException($"Redis, which knows how far nodes and places are, doesn't tell: {exception.Message}", exception);
        }
    }
}

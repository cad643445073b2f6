using System.Buffers.Text;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>Whether a lease could be had.</summary>
internal enum LeaseState
{
    Acquired,
    /// <summary>Another node fetches.</summary>
    Held,
    /// <summary>Nobody is to wait: see <see cref="ITierLease.MarkUncacheableAsync"/>.</summary>
    Uncacheable,
    /// <summary>Redis doesn't say.</summary>
    Unknown,
}

/// <summary>
/// A key with a random token and a short life, prolonged while its holder lives. Whoever's token isn't there any more has lost it
/// and touches nothing.
/// </summary>
internal sealed class RedisLease : ITierLease
{
    internal static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    internal static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a crashed holder is waited for.</summary>
    internal static readonly TimeSpan Life = TimeSpan.FromSeconds(3);

    /// <summary>No fetch is worth waiting for longer.</summary>
    private static readonly TimeSpan LongestHold = TimeSpan.FromMinutes(10);

    private const string Uncacheable = "uncacheable";
    private const string Prolong = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";
    private const string Release = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
    private const string Mark = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[3], 'PX', ARGV[2]) return 1 end return 0";

    private readonly RedisCalls _calls;
    private readonly RedisKey _name;
    private readonly string _token;
    private readonly TimeSpan _within;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _prolonging;
    private int _ended;

    private RedisLease(RedisCalls calls, RedisKey name, string token, TimeSpan within, TimeProvider time)
    {
        _calls = calls;
        _name = name;
        _token = token;
        _within = within;
        _time = time;
        _prolonging = ProlongAsync();
    }

    internal static async ValueTask<(LeaseState State, RedisLease? Lease)> TryAcquireAsync(
        RedisCalls calls, RedisKey name, TimeSpan within, TimeProvider time, CancellationToken cancellation)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        var before = await calls.CallAsync(
            static (database, set) => database.StringSetAndGetAsync(set.name, set.token, Life, false, When.NotExists),
            (name, token),
            within,
            cancellation);
        if (before.Status != CallStatus.Done)
            return (LeaseState.Unknown, null);
        if (before.Value.IsNull)
            return (LeaseState.Acquired, new RedisLease(calls, name, token, within, time));
        return (before.Value == Uncacheable ? LeaseState.Uncacheable : LeaseState.Held, null);
    }

    public ValueTask MarkUncacheableAsync(TimeSpan duration) =>
        duration >= TimeSpan.FromMilliseconds(1) ? EndAsync(Mark, [_token, (long)duration.TotalMilliseconds, Uncacheable]) : DisposeAsync();

    public ValueTask DisposeAsync() => EndAsync(Release, [_token]);

    private async ValueTask EndAsync(string script, RedisValue[] arguments)
    {
        if (Interlocked.Exchange(ref _ended, 1) == 1)
            return;
        await _ending.CancelAsync();
        await _prolonging;
        // Where this fails the lease runs out.
        await RunAsync(script, arguments);
        _ending.Dispose();
    }

    private async Task ProlongAsync()
    {
        var began = _time.GetTimestamp();
        while (_time.GetElapsedTime(began) < LongestHold)
        {
            await Task.Delay(Life / 3, _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ending.IsCancellationRequested)
                return;
            var answer = await RunAsync(Prolong, [_token, (long)Life.TotalMilliseconds]);
            if (answer is { Status: CallStatus.Done, Value: 0 })
                return;
        }
    }

    private ValueTask<CallResult<long>> RunAsync(string script, RedisValue[] arguments) => _calls.CallAsync(
        static async (database, run) => (long)await database.ScriptEvaluateAsync(run.script, [run._name], run.arguments),
        (script, _name, arguments),
        _within,
        CancellationToken.None);
}

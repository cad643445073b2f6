namespace CdnEdge.Upstream.Health;

/// <summary>
/// Whether a way from a cluster over its failovers leads anywhere. Where it doesn't, what is stale and may be served is served at
/// once, and only a trickle of requests tries; when it does again, revalidations come back as a growing share, not all at once.
/// </summary>
internal sealed class WayHealth(string cluster, TimeSpan ramp, HealthReport report, TimeProvider time)
{
    private static readonly TimeSpan Trickle = TimeSpan.FromSeconds(1);

    /// <summary>So many requests in a row, over so long, have to lead nowhere.</summary>
    internal const int LeastFailures = 5;

    internal static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private int _failures;
    private DateTimeOffset _failingSince;
    private DateTimeOffset? _downSince;
    private bool _isRecovering;
    private bool _isDownByHealth;
    private bool _isHealthDisproved;
    private DateTimeOffset _upSince;
    private DateTimeOffset _lastTry;

    /// <summary>Since when nobody on the way has answered; null: somebody does.</summary>
    internal DateTimeOffset? DownSince
    {
        get
        {
            lock (_lock)
                return _downSince;
        }
    }

    /// <summary>Nobody on the way gave a usable response.</summary>
    internal void OnExhausted()
    {
        lock (_lock)
        {
            // Some URLs may be beyond an origin that is well otherwise: only where no other request is answered in between, for a
            // while, is it the origin.
            var now = time.GetUtcNow();
            if (++_failures == 1)
                _failingSince = now;
            if (_failures < LeastFailures || now - _failingSince < LeastTime || _downSince is not null)
                return;
            _downSince = _lastTry = now;
        }

        report.Down(cluster);
    }

    /// <summary>
    /// What probes, breakers and ejections say: where everybody is left out, no failures are needed to know that nobody answers.
    /// Unless somebody did answer all the same, by which they are disproved until they say otherwise: a probe may be wrong.
    /// </summary>
    /// <param name="isShut">Everybody is left out.</param>
    internal void OnHealth(bool isShut)
    {
        lock (_lock)
        {
            if (!isShut)
                _isHealthDisproved = false;
            if (!isShut || _isHealthDisproved || _downSince is not null)
                return;
            _isDownByHealth = true;
            _failures = Math.Max(_failures, 1);
            _downSince = _lastTry = time.GetUtcNow();
        }

        report.Down(cluster);
    }

    /// <summary>Somebody did.</summary>
    internal void OnAnswered()
    {
        if (Volatile.Read(ref _failures) == 0)
            return;
        TimeSpan down;
        lock (_lock)
        {
            _failures = 0;
            if (_downSince is not { } since)
                return;
            _isHealthDisproved = _isDownByHealth;
            _isDownByHealth = false;
            _upSince = time.GetUtcNow();
            _isRecovering = ramp > TimeSpan.Zero;
            down = _upSince - since;
            _downSince = null;
        }

        report.Up(cluster, down);
    }

    /// <summary>Nobody has answered of late, or it isn't long that somebody does again.</summary>
    internal bool IsImpaired
    {
        get
        {
            if (Volatile.Read(ref _failures) == 0 && !Volatile.Read(ref _isRecovering))
                return false;
            lock (_lock)
            {
                if (_downSince is null && time.GetUtcNow() - _upSince >= ramp)
                    _isRecovering = false;
                return _downSince is not null || _isRecovering;
            }
        }
    }

    /// <summary>
    /// Whether one more request that something stale can answer is to ask upstream all the same: a trickle while nobody answers, a
    /// growing share after that.
    /// </summary>
    internal bool MayRevalidate()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_downSince is null)
                return !_isRecovering || Random.Shared.NextDouble() < Math.Max(0.05, (now - _upSince) / ramp);
            if (now - _lastTry < Trickle)
                return false;
            _lastTry = now;
            return true;
        }
    }
}

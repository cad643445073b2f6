using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Health;

/// <summary>Why a destination isn't asked, or is asked less than it could be.</summary>
internal enum DestinationCondition
{
    /// <summary>It's asked.</summary>
    Healthy,

    /// <summary>It came back a moment ago: it gets a growing share.</summary>
    SlowStart,

    /// <summary>Its circuit breaker is open.</summary>
    Broken,

    /// <summary>Left out for a time because of what live traffic met there.</summary>
    Ejected,

    /// <summary>Its probes fail, or YARP's own passive policy has given it up.</summary>
    Unhealthy,
}

/// <summary>What is known of one destination, and the pipeline that its requests go through.</summary>
internal sealed class UpstreamDestination
{
    private readonly UpstreamCluster _cluster;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();

    private int _failuresInRow;
    private int _ejections;
    private long _requests;
    private long _failures;
    private int _inFlight;
    private DateTimeOffset _brokenUntil;
    private DateTimeOffset _ejectedUntil;
    private DateTimeOffset _slowSince = DateTimeOffset.MinValue;
    private DateTimeOffset _since;
    private bool _wasUnhealthy;
    private string _reason = "";

    internal UpstreamDestination(UpstreamCluster cluster, DestinationState state, UpstreamPipelines pipelines, TimeProvider time)
    {
        _cluster = cluster;
        _time = time;
        State = state;
        _since = time.GetUtcNow();
        Room = new(cluster.Options.Concurrency);
        Pipeline = pipelines.ForDestination(this);
    }

    internal DestinationState State { get; }

    internal string Id => State.DestinationId;

    internal UpstreamCluster Cluster => _cluster;

    internal LatencyWindow Latency { get; } = new();

    /// <summary>Places for requests at a time.</summary>
    internal DestinationRoom Room { get; }

    /// <summary>Requests under way, bodies included.</summary>
    internal int InFlight => Volatile.Read(ref _inFlight);

    internal long Requests => Volatile.Read(ref _requests);

    internal long Failures => Volatile.Read(ref _failures);

    /// <summary>When its breaker lets a request through again; in the past where it isn't open.</summary>
    internal DateTimeOffset BrokenUntil
    {
        get
        {
            lock (_lock)
                return _brokenUntil;
        }
    }

    /// <summary>What it is now, why and since when.</summary>
    internal (DestinationCondition Condition, string Reason, DateTimeOffset Since) Describe()
    {
        var now = _time.GetUtcNow();
        lock (_lock)
        {
            var condition = ConditionAt(now);
            return (condition, condition is DestinationCondition.Healthy ? "" : condition is DestinationCondition.Unhealthy ? "its probes fail" : _reason, _since);
        }
    }

    /// <summary>Not asked while others are.</summary>
    internal bool IsLeftOut => Condition is DestinationCondition.Ejected or DestinationCondition.Broken or DestinationCondition.Unhealthy;

    internal DestinationCondition Condition
    {
        get
        {
            lock (_lock)
                return ConditionAt(_time.GetUtcNow());
        }
    }

    /// <summary>Of a destination in slow start: whether this request is among those that it gets.</summary>
    internal bool IsAdmitted()
    {
        lock (_lock)
        {
            var share = (_time.GetUtcNow() - _slowSince) / _cluster.Options.SlowStart;
            return Random.Shared.NextDouble() < Math.Max(0.05, share);
        }
    }

    /// <summary>What requests to it run through.</summary>
    internal DestinationPipeline Pipeline { get; }

    /// <summary>A request to it begins.</summary>
    internal void Begin()
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Increment(ref _inFlight);
    }

    internal void End() => Interlocked.Decrement(ref _inFlight);

    /// <summary>A whole response came.</summary>
    internal void OnSuccess()
    {
        if (Volatile.Read(ref _failuresInRow) != 0)
            Volatile.Write(ref _failuresInRow, 0);
    }

    /// <summary>No response came, one that counts as failure, or one that broke off. Not for requests that were called off.</summary>
    internal void OnFailure(string error)
    {
        Interlocked.Increment(ref _failures);
        var failures = Interlocked.Increment(ref _failuresInRow);
        if (_cluster.Options.Ejection is { Enabled: true } options && failures >= options.ConsecutiveFailures)
            Eject($"{failures} failures in a row, the last {error}");
    }

    /// <summary>How long the head of a response took; of a request that was given up for another, how long it had taken by then.</summary>
    internal void OnLatency(TimeSpan elapsed)
    {
        Latency.Add(elapsed);
        _cluster.Latency.Add(elapsed);
        if (_cluster.Options.Ejection is { Enabled: true, LatencyFactor: > 0 and var factor }
            && Latency.Count % LatencyWindow.Least == 0
            && Latency.Percentile(50) is { } own
            && own > TimeSpan.FromMilliseconds(50)
            && _cluster.MedianOfOthers(this) is { } others
            && own > others * factor)
        {
            Eject($"its median time to first byte is {own.TotalMilliseconds:0} ms, that of the others {others.TotalMilliseconds:0} ms");
        }
    }

    internal void OnBreakerOpened(TimeSpan duration, string reason)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (_brokenUntil <= now)
                _since = now;
            _brokenUntil = now + duration;
            _reason = reason;
        }

        _cluster.Report.Broken(this, duration, reason);
    }

    internal void OnBreakerClosed()
    {
        lock (_lock)
        {
            _brokenUntil = default;
            BeginSlowStart(_time.GetUtcNow());
        }

        _cluster.Report.Returned(this);
    }

    private void Eject(string reason)
    {
        TimeSpan duration;

        // One at a time in a cluster: two that go at once could be all there are.
        lock (_cluster.Ejecting)
        {
            if (IsLeftOut || !_cluster.MayEject(this))
                return;
            duration = BeginEjection(reason);
        }

        _cluster.Report.Ejected(this, duration, reason);
    }

    private TimeSpan BeginEjection(string reason)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            var options = _cluster.Options.Ejection;

            // Well for as long as it may be ejected at most: it's forgiven.
            if (now - _ejectedUntil > options.MaxTime)
                _ejections = 0;
            var duration = TimeSpan.FromTicks((long)Math.Min(options.MaxTime.Ticks, options.BaseTime.Ticks * Math.Pow(2, Math.Min(_ejections, 30))));
            _ejections++;
            _ejectedUntil = now + duration;
            _slowSince = _ejectedUntil;
            _since = now;
            _reason = reason;
            Volatile.Write(ref _failuresInRow, 0);
            Latency.Clear();
            return duration;
        }
    }

    private void BeginSlowStart(DateTimeOffset now)
    {
        _slowSince = now;
        _since = now;
    }

    private DestinationCondition ConditionAt(DateTimeOffset now)
    {
        // Probes belong to YARP's health checks: this is the one place that looks at what they found.
        var isUnhealthy = State.Health.Active == DestinationHealth.Unhealthy || State.Health.Passive == DestinationHealth.Unhealthy;
        if (isUnhealthy != _wasUnhealthy)
        {
            _wasUnhealthy = isUnhealthy;
            _since = now;
            if (!isUnhealthy)
                _slowSince = now;
        }

        return isUnhealthy ? DestinationCondition.Unhealthy
            : _brokenUntil > now ? DestinationCondition.Broken
            : _ejectedUntil > now ? DestinationCondition.Ejected
            : now - _slowSince < _cluster.Options.SlowStart ? DestinationCondition.SlowStart
            : DestinationCondition.Healthy;
    }
}

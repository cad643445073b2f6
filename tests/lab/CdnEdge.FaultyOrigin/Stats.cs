namespace CdnEdge.FaultyOrigin;

/// <summary>What reached the origin since it started, as <c>GET /control/stats</c> tells it.</summary>
/// <param name="Name">The origin.</param>
/// <param name="Total">Requests for content: all but probes.</param>
/// <param name="Probes">Requests for <c>/health</c>.</param>
/// <param name="InFlight">Requests for content that are being answered now.</param>
/// <param name="MaxInFlight">The most at once, since the last <c>POST /control/stats/max</c>.</param>
/// <param name="Partial">Answers 206.</param>
/// <param name="NotModified">Answers 304.</param>
/// <param name="Faults">Requests that met a fault: a status, a reset, a hang.</param>
/// <param name="ByPath">Requests for content by path, without the query.</param>
/// <param name="BySecond">Requests for content by the second since 1970 in which their head came.</param>
internal sealed record Stats(
    string Name,
    long Total,
    long Probes,
    int InFlight,
    int MaxInFlight,
    long Partial,
    long NotModified,
    long Faults,
    IReadOnlyDictionary<string, int> ByPath,
    IReadOnlyDictionary<long, int> BySecond);

/// <summary>Counts them.</summary>
internal sealed class Tally(string name, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<long, int> _bySecond = [];
    private long _total;
    private long _probes;
    private long _partial;
    private long _notModified;
    private long _faults;
    private int _inFlight;
    private int _maxInFlight;

    internal void Probe() => Interlocked.Increment(ref _probes);

    internal void Partial() => Interlocked.Increment(ref _partial);

    internal void NotModified() => Interlocked.Increment(ref _notModified);

    internal void Fault() => Interlocked.Increment(ref _faults);

    internal void Begin(string path)
    {
        lock (_lock)
        {
            _total++;
            _byPath[path] = _byPath.GetValueOrDefault(path) + 1;
            var second = time.GetUtcNow().ToUnixTimeSeconds();
            _bySecond[second] = _bySecond.GetValueOrDefault(second) + 1;
            _maxInFlight = Math.Max(_maxInFlight, ++_inFlight);
        }
    }

    internal void End()
    {
        lock (_lock)
            _inFlight--;
    }

    /// <summary>The most at once counts from now.</summary>
    internal void ResetMax()
    {
        lock (_lock)
            _maxInFlight = _inFlight;
    }

    internal Stats Read(bool paths)
    {
        lock (_lock)
        {
            return new Stats(
                name,
                _total,
                Interlocked.Read(ref _probes),
                _inFlight,
                _maxInFlight,
                Interlocked.Read(ref _partial),
                Interlocked.Read(ref _notModified),
                Interlocked.Read(ref _faults),
                paths ? new Dictionary<string, int>(_byPath) : [],
                new Dictionary<long, int>(_bySecond));
        }
    }
}

using System.Diagnostics.Metrics;
using CdnEdge.Delivery.Admission;
using CdnEdge.Upstream.Forwarded;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security;

/// <summary>
/// Sheds load: near a limit of the node the least important misses are refused, at it all of them, while hits go on being served. And keeps each
/// client to its budget of misses, so that nobody empties the cache onto the origin with random queries.
/// </summary>
internal sealed class FetchGate : IFetchGate, IDisposable
{
    internal const string MeterName = "CdnEdge.Security";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly LimitOptions _limits;
    private readonly NodeLoad _load;
    private readonly Visitors _visitors;
    private readonly Meter _meter;
    private readonly Counter<long> _refused;
    private int _entered;

    internal FetchGate(LimitOptions limits, NodeLoad load, Visitors visitors, IMeterFactory meters)
    {
        (_limits, _load, _visitors) = (limits, load, visitors);
        _meter = meters.Create(MeterName);
        _refused = _meter.CreateCounter<long>("cdnedge.fetches.refused", "{request}", "Requests that weren't taken upstream, by reason.");
        _meter.CreateObservableGauge("cdnedge.fetches.active", () => Volatile.Read(ref _entered), "{request}", "Requests that wait for upstream.");
        _meter.CreateObservableGauge("cdnedge.load", () => Level(Volatile.Read(ref _entered)), "1", "How near the node is to its limits: 1 is at one.");
    }

    public FetchRefusal? TryEnter(HttpContext context, FetchPriority priority)
    {
        if (context.Features.Get<PeerRequest>() is null && context.Features.Get<Site>()?.Misses is { } misses
            && misses.Take(ClientNetwork.Of(_visitors.AddressOf(context), _limits.Ipv6Prefix)) is { } wait)
        {
            return Refuse(new FetchRefusal(StatusCodes.Status429TooManyRequests, "Too many requests of this client for what isn't stored.", "miss-budget", wait));
        }

        // The bound itself is kept exactly, whoever comes at once.
        var entered = Interlocked.Increment(ref _entered);
        if (entered <= _limits.Fetches && Level(entered) < Threshold(priority))
            return null;
        Leave();
        return Refuse(new FetchRefusal(StatusCodes.Status503ServiceUnavailable, "This node has more to do than it can at the moment.", "shed", RetryAfter));
    }

    public void Leave() => Interlocked.Decrement(ref _entered);

    public void Dispose() => _meter.Dispose();

    private static double Threshold(FetchPriority priority) => priority switch
    {
        FetchPriority.Low => 0.8,
        FetchPriority.Normal => 0.9,
        _ => 1,
    };

    private double Level(int entered) => Math.Max(_load.Level, (double)(entered - 1) / _limits.Fetches);

    private FetchRefusal Refuse(FetchRefusal refusal)
    {
        _refused.Add(1, new KeyValuePair<string, object?>("cdnedge.reason", refusal.Detail));
        return refusal;
    }
}

using System.Diagnostics.Metrics;

namespace CdnEdge.Upstream.Peers;

/// <summary>What nodes refused of each other, in the meter <c>CdnEdge.Peers</c>.</summary>
internal sealed class PeerMetrics : IDisposable
{
    /// <summary>The meter's name, for OpenTelemetry's AddMeter.</summary>
    internal const string MeterName = "CdnEdge.Peers";

    private const string Reason = "cdnedge.reason";

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _responses;

    public PeerMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>("cdnedge.peers.requests_refused", "{request}", "Requests that claimed to be another node's and were refused, by reason.");
        _responses = _meter.CreateCounter<long>("cdnedge.peers.responses_refused", "{response}", "Answers of other nodes that were refused, by reason.");
    }

    internal void RequestRefused(PeerVerdict verdict) => _requests.Add(1, new KeyValuePair<string, object?>(Reason, NameOf(verdict)));

    internal void ResponseRefused(PeerFault fault) => _responses.Add(1, new KeyValuePair<string, object?>(Reason, NameOf(fault)));

    /// <summary>It was fetched before something was purged here that concerns it.</summary>
    internal void ResponseOutdated() => _responses.Add(1, new KeyValuePair<string, object?>(Reason, "outdated"));

    internal static string NameOf(PeerVerdict verdict) => verdict switch
    {
        PeerVerdict.Malformed => "malformed",
        PeerVerdict.BadSignature => "bad-signature",
        PeerVerdict.ClockOff => "clock-off",
        PeerVerdict.LoopsBack => "loops-back",
        PeerVerdict.TooManyHops => "too-many-hops",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "Not a refusal."),
    };

    internal static string NameOf(PeerFault fault) => fault switch
    {
        PeerFault.Unsigned => "unsigned",
        PeerFault.Malformed => "malformed",
        PeerFault.BadSignature => "bad-signature",
        PeerFault.ClockOff => "clock-off",
        PeerFault.OwnId => "own-id",
        PeerFault.BadFetchTime => "bad-fetch-time",
        PeerFault.BadAge => "bad-age",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "Not a fault."),
    };

    public void Dispose() => _meter.Dispose();
}

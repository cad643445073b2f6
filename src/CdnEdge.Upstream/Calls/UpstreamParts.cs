using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Ways;

namespace CdnEdge.Upstream.Calls;

/// <summary>What the handlers of all clusters share.</summary>
internal sealed record UpstreamParts(
    Upstreams Upstreams, UpstreamMetrics Metrics, UpstreamOptions Options, PeerAuthentication Peers, PeerMetrics PeerMetrics, TimeProvider Time);

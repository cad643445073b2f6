namespace CdnEdge.Upstream;

/// <summary>
/// Section <c>CdnEdge:Clusters:NAME</c>: what a node does with a cluster of YARP's beyond forwarding to it. Everything has a
/// default; a cluster that isn't named has all of them.
/// </summary>
public sealed class ClusterOptions
{
    /// <summary>
    /// The cluster of shields to be asked before this one: nodes (<see cref="Peers"/>) that collect the misses of others. A
    /// route's metadata <c>CdnEdge.Shield</c> says otherwise for the route; <c>none</c> is no shield.
    /// </summary>
    public string? Shield { get; set; }

    /// <summary>
    /// A cluster of nodes (<see cref="Peers"/>) to be asked before the shield for what they have stored, and for nothing else
    /// (<c>Cache-Control: only-if-cached</c>). A route's metadata <c>CdnEdge.Siblings</c> says otherwise for the route.
    /// </summary>
    public string? Siblings { get; set; }

    /// <summary>
    /// The cluster to be asked when this one has nobody left to ask: the global core, for one. It may have a failover of its own. A
    /// route's metadata <c>CdnEdge.Failover</c> says otherwise for the route.
    /// </summary>
    public string? Failover { get; set; }

    /// <summary>
    /// The destinations are nodes of this CDN (their traffic addresses): requests to them are signed, what they answer is checked,
    /// and each URL has a node of its own among them (rendezvous hashing with bounded load). Takes <c>CdnEdge:Peering</c>.
    /// </summary>
    public bool Peers { get; set; }

    /// <summary>The Host that this cluster's servers are asked for (with https also the name in TLS). Null: as <see cref="ForwardingOptions.OriginalHost"/> says.</summary>
    public string? Host { get; set; }

    /// <summary>
    /// A key of at least 32 bytes, in base64, that this cluster's servers know too: each request to them proves by it that it came through
    /// this CDN (the field <c>CdnEdge-Proof</c>). Null: none does.
    /// </summary>
    public string? ProofKey { get; set; }

    /// <summary>How long a destination that returns, from ejection or an open breaker, gets only a growing share of the requests; 0 to 10 minutes.</summary>
    public TimeSpan SlowStart { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Where less than this share of the destinations is healthy (0 to 1) and no other cluster is left, health is ignored: asking
    /// the sick as well is better than having a few crushed or refusing everybody.
    /// </summary>
    public double PanicThreshold { get; set; } = 0.5;

    /// <summary>How long is waited.</summary>
    public TimeoutOptions Timeouts { get; set; } = new();

    /// <summary>Asking another destination after a failure.</summary>
    public RetryOptions Retries { get; set; } = new();

    /// <summary>Asking another destination while the first is slow.</summary>
    public HedgingOptions Hedging { get; set; } = new();

    /// <summary>When a destination isn't asked at all for a time.</summary>
    public BreakerOptions Breaker { get; set; } = new();

    /// <summary>How many requests a destination gets at a time.</summary>
    public ConcurrencyOptions Concurrency { get; set; } = new();

    /// <summary>When a destination that fails or is slow is left out in favour of the others of its cluster.</summary>
    public EjectionOptions Ejection { get; set; } = new();

    /// <summary>What an active probe (YARP's <c>HealthCheck:Active</c> with <c>"Policy": "Thresholds"</c>) has to find.</summary>
    public ProbeOptions Probe { get; set; } = new();

    /// <summary>Connections, and TLS on them.</summary>
    public ClusterConnectionOptions Connections { get; set; } = new();
}

/// <summary>How long is waited for an upstream.</summary>
public sealed class TimeoutOptions
{
    /// <summary>For a connection, TLS included; 1 ms to 5 minutes.</summary>
    public TimeSpan Connect { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>From the start of one attempt to the head of its response, waiting for a free place included; 1 ms to an hour.</summary>
    public TimeSpan FirstByte { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// From the first attempt to the head of the response that is taken, over all destinations and clusters: at least
    /// <see cref="FirstByte"/>, at most an hour. How long a body may pause is YARP's <c>HttpRequest:ActivityTimeout</c>.
    /// </summary>
    public TimeSpan Total { get; set; } = TimeSpan.FromSeconds(60);
}

/// <summary>
/// Asking another destination after a failure. Only what is safe: requests that never left, and those that are idempotent, have no
/// body (RFC 9110 §9.2.2) and have nothing sent to the client yet.
/// </summary>
public sealed class RetryOptions
{
    /// <summary>How many more destinations of this cluster one request may ask; 0 to 8.</summary>
    public int Attempts { get; set; } = 2;

    /// <summary>
    /// The retry budget: retries and hedged requests together stay below this share (0 to 1) of the requests of the last 10 seconds.
    /// The first request to each cluster on the way is none.
    /// </summary>
    public double Budget { get; set; } = 0.2;

    /// <summary>So many retries in 10 seconds are allowed however few requests there are; 0 to 10,000.</summary>
    public int MinBudget { get; set; } = 10;

    /// <summary>About how long to wait before the next destination of the same cluster; doubled each time, and jittered. 0 to 10 s.</summary>
    public TimeSpan BackOff { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>Statuses that count as a failure of the destination, each from 500 to 599.</summary>
    public IList<int> Statuses { get; set; } = [502, 503, 504];
}

/// <summary>A second request to another destination while the first hasn't answered: safe methods without a body only (RFC 9110 §9.2.1).</summary>
public sealed class HedgingOptions
{
    /// <summary>Whether that is done.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The percentile of the cluster's latest times to first byte after which it is done; 50 to 99.9.</summary>
    public double Percentile { get; set; } = 95;

    /// <summary>Not before; 1 ms to a minute.</summary>
    public TimeSpan MinDelay { get; set; } = TimeSpan.FromMilliseconds(50);
}

/// <summary>A circuit breaker per destination: open, it refuses at once; half open, it lets one request through.</summary>
public sealed class BreakerOptions
{
    /// <summary>Opens where at least this share (0.01 to 1) of the requests in <see cref="Window"/> failed.</summary>
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>And there were at least so many; 2 to 100,000.</summary>
    public int MinRequests { get; set; } = 8;

    /// <summary>Over which time; 0.5 s to 5 minutes.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long it stays open; 0.5 s to 10 minutes.</summary>
    public TimeSpan Break { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>How many requests a destination of this cluster gets from this node at a time; event streams and upgrades only until they are answered.</summary>
public sealed class ConcurrencyOptions
{
    /// <summary>At a time; 1 to 100,000.</summary>
    public int Limit { get; set; } = 1024;

    /// <summary>How many more may wait for a place; 0 to 100,000. Those beyond are refused (503) unless another destination has room.</summary>
    public int Queue { get; set; } = 256;
}

/// <summary>Ejection of outliers, by what live traffic tells. A cluster's only destination is never ejected.</summary>
public sealed class EjectionOptions
{
    /// <summary>Whether that is done.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>After so many failures in a row; 1 to 1000.</summary>
    public int ConsecutiveFailures { get; set; } = 5;

    /// <summary>When its median time to first byte is this many times that of the cluster's others (at least 1.5); 0: never.</summary>
    public double LatencyFactor { get; set; } = 4;

    /// <summary>For how long the first time; doubled each time it happens again. 0.1 s to 10 minutes.</summary>
    public TimeSpan BaseTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>And at most; at least <see cref="BaseTime"/>, at most a day.</summary>
    public TimeSpan MaxTime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>At most this share of a cluster's destinations at once (0 to 1), and never all.</summary>
    public double MaxShare { get; set; } = 0.5;
}

/// <summary>What a probe has to find, and how often, before a destination changes sides.</summary>
public sealed class ProbeOptions
{
    /// <summary>So many good probes in a row make a destination healthy; 1 to 100.</summary>
    public int Healthy { get; set; } = 2;

    /// <summary>So many bad ones make it unhealthy; 1 to 100.</summary>
    public int Unhealthy { get; set; } = 3;

    /// <summary>Statuses that are good.</summary>
    public IList<int> Statuses { get; set; } = [200, 204];

    /// <summary>What the body has to contain, within its first 64 KiB; null: nothing in particular.</summary>
    public string? Body { get; set; }
}

/// <summary>Connections to a cluster's destinations.</summary>
public sealed class ClusterConnectionOptions
{
    /// <summary>How long a connection is used: names that move are followed then. 1 s to a day.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>A PEM file with the authorities that sign the servers' certificates. Null: the system's.</summary>
    public string? Ca { get; set; }

    /// <summary>A PEM file with the certificate that this node shows to the servers, and its chain.</summary>
    public string? Certificate { get; set; }

    /// <summary>A PEM file with that certificate's key.</summary>
    public string? Key { get; set; }
}

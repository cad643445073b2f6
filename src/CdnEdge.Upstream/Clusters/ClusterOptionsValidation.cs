using System.Globalization;
using CdnEdge.Upstream.Proof;

namespace CdnEdge.Upstream.Clusters;

/// <summary>Finds every mistake in the options of clusters, each with its configuration path.</summary>
internal static class ClusterOptionsValidation
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <param name="path">Where they stand: <c>CdnEdge:Clusters</c>.</param>
    /// <param name="clusters">By their ids.</param>
    /// <param name="hasPeerKey"><c>CdnEdge:Peering:Key</c> is there.</param>
    internal static IEnumerable<string> Errors(string path, IDictionary<string, ClusterOptions> clusters, bool hasPeerKey) =>
        clusters.SelectMany(cluster => Own($"{path}:{cluster.Key}", cluster.Value, hasPeerKey)
            .Concat(References($"{path}:{cluster.Key}", cluster.Key, cluster.Value, clusters)));

    private static IEnumerable<string> Own(string path, ClusterOptions options, bool hasPeerKey)
    {
        if (options.Peers && !hasPeerKey)
            yield return $"{path}:Peers: nodes know each other by a key, and there is none; CdnEdge:Peering:Key, the same on all nodes (openssl rand -base64 32)";
        if (options.Host is { } host && (host.Length == 0 || Uri.CheckHostName(host.Split(':')[0]) == UriHostNameType.Unknown))
            yield return $"{path}:Host: '{host}' is not a host; such as www.example.com or www.example.com:8443";
        if (options.ProofKey is { } key && HmacKey.MistakeIn(key) is { } inKey)
            yield return $"{path}:ProofKey: {inKey}";
        foreach (var mistake in Ranges(path, options))
            yield return mistake;
        foreach (var mistake in Statuses($"{path}:Retries:Statuses", options.Retries.Statuses, 500, 599))
            yield return mistake;
        foreach (var mistake in Statuses($"{path}:Probe:Statuses", options.Probe.Statuses, 200, 599))
            yield return mistake;
        if (options.Probe.Statuses.Count == 0)
            yield return $"{path}:Probe:Statuses: none, so that no probe could succeed; such as [200, 204]";
        if (options.Probe.Body is { } body && body.Length is 0 or > 1024)
            yield return $"{path}:Probe:Body: {(body.Length == 0 ? "empty; leave it out" : "too long")}; 1 to 1024 characters that a good answer contains";
        if (options.Probe is { Body: not null } probe && probe.Statuses.All(static status => status is 204 or 304))
            yield return $"{path}:Probe:Body: '{probe.Body}' can't be in an answer without a body, and Statuses allow no other";
        if (ClusterConnections.MistakeIn(options.Connections) is { } inFiles)
            yield return $"{path}:Connections:{inFiles}";
    }

    private static IEnumerable<string> Ranges(string path, ClusterOptions options)
    {
        var (timeouts, retries, hedging, breaker) = (options.Timeouts, options.Retries, options.Hedging, options.Breaker);
        return new[]
        {
            Time($"{path}:SlowStart", options.SlowStart, TimeSpan.Zero, TimeSpan.FromMinutes(10)),
            Share($"{path}:PanicThreshold", options.PanicThreshold, 0),
            Time($"{path}:Timeouts:Connect", timeouts.Connect, Millisecond, TimeSpan.FromMinutes(5)),
            Time($"{path}:Timeouts:FirstByte", timeouts.FirstByte, Millisecond * 10, Hour),
            Time($"{path}:Timeouts:Total", timeouts.Total, timeouts.FirstByte, Hour),
            Number($"{path}:Retries:Attempts", retries.Attempts, 0, 8),
            Share($"{path}:Retries:Budget", retries.Budget, 0),
            Number($"{path}:Retries:MinBudget", retries.MinBudget, 0, 10_000),
            Time($"{path}:Retries:BackOff", retries.BackOff, TimeSpan.Zero, TimeSpan.FromSeconds(10)),
            Number($"{path}:Hedging:Percentile", hedging.Percentile, 50, 99.9),
            Time($"{path}:Hedging:MinDelay", hedging.MinDelay, Millisecond, TimeSpan.FromMinutes(1)),
            Share($"{path}:Breaker:FailureRatio", breaker.FailureRatio, 0.01),
            Number($"{path}:Breaker:MinRequests", breaker.MinRequests, 2, 100_000),
            Time($"{path}:Breaker:Window", breaker.Window, TimeSpan.FromSeconds(0.5), TimeSpan.FromMinutes(5)),
            Time($"{path}:Breaker:Break", breaker.Break, TimeSpan.FromSeconds(0.5), TimeSpan.FromMinutes(10)),
            Number($"{path}:Concurrency:Limit", options.Concurrency.Limit, 1, 100_000),
            Number($"{path}:Concurrency:Queue", options.Concurrency.Queue, 0, 100_000),
            Number($"{path}:Ejection:ConsecutiveFailures", options.Ejection.ConsecutiveFailures, 1, 1000),
            options.Ejection.LatencyFactor == 0 ? null : Number($"{path}:Ejection:LatencyFactor", options.Ejection.LatencyFactor, 1.5, 1000),
            Time($"{path}:Ejection:BaseTime", options.Ejection.BaseTime, TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(10)),
            Time($"{path}:Ejection:MaxTime", options.Ejection.MaxTime, options.Ejection.BaseTime, TimeSpan.FromDays(1)),
            Share($"{path}:Ejection:MaxShare", options.Ejection.MaxShare, 0),
            Number($"{path}:Probe:Healthy", options.Probe.Healthy, 1, 100),
            Number($"{path}:Probe:Unhealthy", options.Probe.Unhealthy, 1, 100),
            Time($"{path}:Connections:Lifetime", options.Connections.Lifetime, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
        }.OfType<string>();
    }

    /// <summary>What is wrong among clusters as far as their own options tell: whether they are there, YARP's section tells.</summary>
    private static IEnumerable<string> References(string path, string id, ClusterOptions options, IDictionary<string, ClusterOptions> clusters)
    {
        foreach (var (key, other) in new[] { (nameof(options.Shield), options.Shield), (nameof(options.Siblings), options.Siblings) })
        {
            if (other is null)
                continue;
            if (Is(other, id))
                yield return $"{path}:{key}: '{other}' is the cluster itself; a cluster of other nodes belongs here";
            else if (!clusters.TryGetValue(other, out var peers) || !peers.Peers)
                yield return $"{path}:{key}: '{other}' is not a cluster of nodes; say so with CdnEdge:Clusters:{other}:Peers: true";
        }

        if (options.Failover is not null && Circle(id, clusters) is { } circle)
            yield return $"{path}:Failover: runs in a circle, {string.Join(" > ", circle)}; the last one has no failover";
    }

    /// <summary>The failovers from a cluster back to it; null: they don't come back.</summary>
    private static List<string>? Circle(string id, IDictionary<string, ClusterOptions> clusters)
    {
        var way = new List<string> { id };
        while (clusters.TryGetValue(way[^1], out var options) && options.Failover is { } next)
        {
            var isBack = Is(next, id);
            if (!isBack && way.Exists(one => Is(one, next)))
                return null; // in a circle further on, which is told there
            way.Add(next);
            if (isBack)
                return way;
        }

        return null;
    }

    private static IEnumerable<string> Statuses(string path, IList<int> statuses, int least, int most)
    {
        for (var i = 0; i < statuses.Count; i++)
        {
            if (statuses[i] < least || statuses[i] > most)
                yield return $"{path}:{i}: {statuses[i]} is not a status from {least} to {most}";
        }
    }

    private static string? Time(string path, TimeSpan value, TimeSpan least, TimeSpan most) =>
        value >= least && value <= most ? null : $"{path}: {value:c} is not from {least:c} to {most:c}";

    private static string? Share(string path, double value, double least) => Number(path, value, least, 1);

    private static string? Number(string path, double value, double least, double most) =>
        value >= least && value <= most ? null : string.Create(CultureInfo.InvariantCulture, $"{path}: {value} is not from {least} to {most}");

    private static bool Is(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}

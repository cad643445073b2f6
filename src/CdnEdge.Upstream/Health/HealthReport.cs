using Microsoft.Extensions.Logging;

namespace CdnEdge.Upstream.Health;

/// <summary>Says what changes in the health of upstreams, once per change.</summary>
internal sealed partial class HealthReport(UpstreamMetrics metrics, ILogger<HealthReport> logger)
{
    internal void Broken(UpstreamDestination destination, TimeSpan duration, string reason)
    {
        metrics.LeftOut(destination, "broken");
        Log.Broken(logger, destination.Cluster.Id, destination.Id, duration.TotalSeconds, reason);
    }

    internal void Ejected(UpstreamDestination destination, TimeSpan duration, string reason)
    {
        metrics.LeftOut(destination, "ejected");
        Log.Ejected(logger, destination.Cluster.Id, destination.Id, duration.TotalSeconds, reason);
    }

    internal void Returned(UpstreamDestination destination) => Log.Returned(logger, destination.Cluster.Id, destination.Id);

    internal void Probed(string cluster, string destination, bool isHealthy, string reason)
    {
        if (isHealthy)
            Log.ProbedHealthy(logger, cluster, destination, reason);
        else
            Log.ProbedUnhealthy(logger, cluster, destination, reason);
    }

    internal void Down(string cluster) => Log.Down(logger, cluster);

    internal void Up(string cluster, TimeSpan after) => Log.Up(logger, cluster, after.TotalSeconds);

    private static partial class Log
    {
        [LoggerMessage(20, LogLevel.Warning, "Upstream {Cluster}/{Destination} isn't asked for {Seconds:0.#} s, its breaker is open: {Reason}", EventName = "UpstreamBroken")]
        internal static partial void Broken(ILogger logger, string cluster, string destination, double seconds, string reason);

        [LoggerMessage(21, LogLevel.Warning, "Upstream {Cluster}/{Destination} is ejected for {Seconds:0.#} s: {Reason}", EventName = "UpstreamEjected")]
        internal static partial void Ejected(ILogger logger, string cluster, string destination, double seconds, string reason);

        [LoggerMessage(22, LogLevel.Information, "Upstream {Cluster}/{Destination} answers again: it gets a growing share of the requests", EventName = "UpstreamReturned")]
        internal static partial void Returned(ILogger logger, string cluster, string destination);

        [LoggerMessage(23, LogLevel.Information, "Upstream {Cluster}/{Destination} is healthy: {Reason}", EventName = "UpstreamHealthy")]
        internal static partial void ProbedHealthy(ILogger logger, string cluster, string destination, string reason);

        [LoggerMessage(24, LogLevel.Warning, "Upstream {Cluster}/{Destination} is unhealthy: {Reason}", EventName = "UpstreamUnhealthy")]
        internal static partial void ProbedUnhealthy(ILogger logger, string cluster, string destination, string reason);

        [LoggerMessage(25, LogLevel.Error, "Nobody answers on the way from {Cluster}: what is stale and may be served is served, and few requests try on", EventName = "OriginDown")]
        internal static partial void Down(ILogger logger, string cluster);

        [LoggerMessage(26, LogLevel.Information, "The way from {Cluster} leads somewhere again, after {Seconds:0.#} s", EventName = "OriginUp")]
        internal static partial void Up(ILogger logger, string cluster, double seconds);
    }
}

using System.Runtime.CompilerServices;
using System.Text;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Ways;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Health;

/// <summary>
/// YARP's active health checks with thresholds in both directions, and an eye on the status and the body: a cluster chooses it by
/// <c>"HealthCheck": { "Active": { "Policy": "Thresholds" } }</c>. See <see cref="ProbeOptions"/>.
/// </summary>
internal sealed class ThresholdsHealthPolicy(Upstreams upstreams, IDestinationHealthUpdater updater, HealthReport report) : IActiveHealthCheckPolicy
{
    internal const string PolicyName = "Thresholds";

    private readonly ConditionalWeakTable<DestinationState, Row> _rows = [];

    public string Name => PolicyName;

    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults)
    {
        var options = upstreams.OptionsOf(cluster.ClusterId).Probe;
        var news = new NewActiveDestinationHealth[probingResults.Count];
        for (var i = 0; i < probingResults.Count; i++)
        {
            var destination = probingResults[i].Destination;
            var mistake = Mistake(options, probingResults[i]);
            var row = _rows.GetOrCreateValue(destination);
            var before = destination.Health.Active;
            var now = row.Add(mistake is null, options, before);
            news[i] = new NewActiveDestinationHealth(destination, now);
            if (now != before && (before != DestinationHealth.Unknown || now == DestinationHealth.Unhealthy))
                report.Probed(cluster.ClusterId, destination.DestinationId, now == DestinationHealth.Healthy, mistake ?? "its probes succeed");
        }

        updater.SetActive(cluster, news);
    }

    /// <summary>What is wrong with a probe's result; null: nothing.</summary>
    private static string? Mistake(ProbeOptions options, DestinationProbingResult result)
    {
        if (result.Response is not { } response)
        {
            return result.Exception is OperationCanceledException or null
                ? "no answer to the probe in time"
                : $"no answer to the probe, {ProxyStatus.BeforeResponse(result.Exception).Error}";
        }

        if (!options.Statuses.Contains((int)response.StatusCode))
            return $"the probe was answered with {(int)response.StatusCode}, not with {string.Join(" or ", options.Statuses)}";
        if (options.Body is not { } wanted)
            return null;

        // In memory by now: ProbeBody.
        using var reader = new StreamReader(response.Content.ReadAsStream(), Encoding.UTF8);
        return reader.ReadToEnd().Contains(wanted, StringComparison.Ordinal) ? null : $"the probe's body doesn't contain '{wanted}'";
    }

    /// <summary>Probes in a row that ended alike.</summary>
    private sealed class Row
    {
        private bool _wasGood;
        private int _length;

        internal DestinationHealth Add(bool isGood, ProbeOptions options, DestinationHealth before)
        {
            _length = isGood == _wasGood ? _length + 1 : 1;
            _wasGood = isGood;

            // The first good one is enough for a destination of which nothing bad is known.
            var enough = isGood ? before == DestinationHealth.Unknown || _length >= options.Healthy : _length >= options.Unhealthy;
            return !enough ? before : isGood ? DestinationHealth.Healthy : DestinationHealth.Unhealthy;
        }
    }
}

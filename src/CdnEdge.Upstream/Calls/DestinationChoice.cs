using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Ways;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Calls;

/// <summary>Which destination of a cluster is asked.</summary>
internal static class DestinationChoice
{
    /// <summary>The destination; null: none of this cluster is to be asked now.</summary>
    /// <param name="leg">The cluster.</param>
    /// <param name="call">The request.</param>
    /// <param name="asked">Those that have been asked already, of any cluster.</param>
    /// <param name="chosenByYarp">The one that YARP's load balancing or session affinity chose.</param>
    /// <param name="regardsHealth">False: nobody was healthy enough to be asked, so the others are.</param>
    /// <param name="isLastLeg">No other cluster is left.</param>
    internal static UpstreamDestination? Of(
        Leg leg, UpstreamCall call, List<UpstreamDestination> asked, DestinationState? chosenByYarp, bool regardsHealth, bool isLastLeg)
    {
        // Nearly always there's one, and it's well.
        if (leg.Cluster.State.DestinationsState.AllDestinations is [var only]
            && leg.Cluster.Of(only) is { Condition: DestinationCondition.Healthy } alone
            && !asked.Contains(alone))
        {
            return alone;
        }

        var candidates = Candidates(leg.Cluster, asked, regardsHealth, isLastLeg);
        if (candidates.Count > 1 && call.Avoid is not null)
            candidates.RemoveAll(one => one.State == call.Avoid);
        if (candidates.Count == 0)
            return null;
        if (leg.IsOfPeers)
            return Rendezvous.Choose(candidates, call.Affinity);
        if (chosenByYarp is not null && candidates.Find(one => one.State == chosenByYarp) is { } chosen)
            return chosen;

        // The less busy of two (as YARP's own default does), where YARP hasn't chosen.
        var first = candidates[Random.Shared.Next(candidates.Count)];
        var second = candidates[Random.Shared.Next(candidates.Count)];
        return first.InFlight <= second.InFlight ? first : second;
    }

    private static List<UpstreamDestination> Candidates(UpstreamCluster cluster, List<UpstreamDestination> asked, bool regardsHealth, bool isLastLeg)
    {
        var all = cluster.State.DestinationsState.AllDestinations;
        var healthy = 0;
        var candidates = new List<UpstreamDestination>(all.Count);
        foreach (var state in all)
        {
            var destination = cluster.Of(state);
            var condition = destination.Condition;
            if (condition is not (DestinationCondition.Healthy or DestinationCondition.SlowStart))
                continue;
            healthy++;
            if (!asked.Contains(destination) && (condition == DestinationCondition.Healthy || !regardsHealth || destination.IsAdmitted()))
                candidates.Add(destination);
        }

        var isPanic = isLastLeg && healthy < all.Count * cluster.Options.PanicThreshold;
        if (!regardsHealth || isPanic)
        {
            // Breakers aside, which refuse by themselves, and let their own few through.
            candidates.AddRange(all.Select(cluster.Of).Where(one => !asked.Contains(one) && !candidates.Contains(one) && one.Condition != DestinationCondition.Broken));
        }

        return candidates;
    }
}

using System.Net;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Proof;
using CdnEdge.Upstream.Ways;
using Polly;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Calls;

/// <summary>
/// Stands between YARP and the connections to one cluster: takes the request that YARP made for one destination along its whole way.
/// </summary>
/// <remarks>
/// 1. A request without a call (a probe) and an attempt of a call (made by the handler of the cluster where its way begins) go straight on.
/// 2. The way of the route, and a run over it.
/// 3. The first attempt; one after another where they fail; another beside one that is slow, under the total timeout.
/// 4. The first usable response is the answer. The place at its destination is held until <see cref="UpstreamCall.Finish"/>.
/// </remarks>
internal sealed class UpstreamHandler(UpstreamParts parts, string clusterId, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    internal TimeProvider Time => parts.Time;

    internal UpstreamMetrics Metrics => parts.Metrics;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(UpstreamAttempt.OptionsKey, out _))
            return base.SendAsync(request, cancellationToken);
        if (!request.Options.TryGetValue(UpstreamCall.OptionsKey, out var call)
            || call.Context?.Features.Get<IReverseProxyFeature>() is not { } proxy
            || proxy.Route.Cluster is not { } cluster)
        {
            return ProbeAsync(request, cancellationToken);
        }

        // A node that asks has a deadline of its own, and may be the last that asks another.
        var asker = call.Context.Features.Get<PeerRequest>();
        var legs = parts.Upstreams.WayOf(proxy.Route, call.UsesPeers && parts.Peers.IsEnabled && (asker is null || asker.Path.Count < parts.Options.Peering.MaxHops));
        var health = parts.Upstreams.Of(cluster);
        var patience = asker?.Left(Time) is { } left && left < health.Options.Timeouts.Total ? left : health.Options.Timeouts.Total;
        return WalkAsync(new UpstreamRun(this, call, request, legs, proxy.ProxiedDestination, asker, patience), health, proxy, cancellationToken);
    }

    private async Task<HttpResponseMessage> WalkAsync(UpstreamRun run, UpstreamCluster health, IReverseProxyFeature proxy, CancellationToken cancellationToken)
    {
        Outcome<HttpResponseMessage> outcome;
        if (run.First() is not { } first)
        {
            outcome = Outcome.FromException<HttpResponseMessage>(new AttemptFailedException(ProxyStatus.NobodyLeft));
        }
        else if (run.HasOthers)
        {
            outcome = await run.RunAsync(health, first, cancellationToken);
        }
        else
        {
            await first.RunAsync(cancellationToken);
            outcome = run.Ended(first, first.Outcome);
        }

        if (outcome.Result is { } response)
        {
            response.RequestMessage!.Options.TryGetValue(UpstreamAttempt.OptionsKey, out var attempt);
            run.DropResponse();
            health.Way.OnAnswered();
            return Answer(run.Call, proxy, health, attempt!, response);
        }

        if (cancellationToken.IsCancellationRequested)
        {
            run.DropResponse();
            cancellationToken.ThrowIfCancellationRequested();
        }

        var (least, from, failure) = run.Conclude(outcome.Exception!);
        if (least is not null)
        {
            health.Way.OnAnswered(); // An error, but somebody is there.
            return Answer(run.Call, proxy, health, from!, least);
        }

        if (Downgrade.AskedFor(outcome.Exception) is { } downgrade)
            throw downgrade;
        health.Way.OnExhausted();
        throw failure!;
    }

    /// <summary>Sends an attempt's request over the connections of its own cluster.</summary>
    internal Task<HttpResponseMessage> SendToAsync(UpstreamAttempt attempt, CancellationToken cancellation)
    {
        attempt.WasSent = true;
        attempt.Request.Options.Set(UpstreamAttempt.OptionsKey, attempt);
        OriginProof.Write(attempt.Request, attempt.Leg.Cluster.Options.ProofKey, Time.GetUtcNow());
        if (attempt.Leg.IsOfPeers)
            parts.Peers.Sign(attempt.Request, attempt.Run.CameThrough, attempt.Run.Left);
        return attempt.Leg.Cluster.Id == clusterId
            ? base.SendAsync(attempt.Request, cancellation)
            : attempt.Leg.Cluster.State.Model.HttpClient.SendAsync(attempt.Request, cancellation);
    }

    /// <summary>What is wrong with the head of a response; null: it's taken.</summary>
    internal AttemptFailedException? Objection(UpstreamAttempt attempt, HttpResponseMessage response)
    {
        if (attempt.Leg.IsOfPeers && ObjectionToPeer(attempt, response) is { } objection)
        {
            response.Dispose();
            return objection;
        }

        var status = (int)response.StatusCode;
        if (!attempt.Leg.Cluster.Options.Retries.Statuses.Contains(status))
            return null;

        // A peer that says so isn't ill itself: its origin is.
        return new AttemptFailedException(ProxyStatus.ErrorStatus) { Response = response, CountsAgainstDestination = !attempt.Leg.IsOfPeers };
    }

    /// <summary>What is wrong with it as a node's answer.</summary>
    private AttemptFailedException? ObjectionToPeer(UpstreamAttempt attempt, HttpResponseMessage response)
    {
        if (!parts.Peers.TryVerify(attempt.Request, response, out var fetchedBefore, out var fault))
        {
            parts.PeerMetrics.ResponseRefused(fault);
            return new AttemptFailedException(ProxyStatus.NoPeer);
        }

        // Only the time between fetch and request is the other node's word: what the clock says there plays no part.
        var fetchedAt = attempt.StartedAt - fetchedBefore;
        attempt.FetchedAt = fetchedAt;
        if (attempt.Leg.Kind == LegKind.Siblings && response.StatusCode == HttpStatusCode.GatewayTimeout)
            return new AttemptFailedException(ProxyStatus.NobodyLeft) { CountsAgainstDestination = false, IsOnlyAbsence = true };
        if (attempt.Run.IsNewEnough(response, fetchedAt))
            return null;
        parts.PeerMetrics.ResponseOutdated();
        return new AttemptFailedException(ProxyStatus.NobodyLeft) { CountsAgainstDestination = false, IsOnlyAbsence = true };
    }

    /// <summary>The request as it goes to one destination: YARP made it for the one that it chose.</summary>
    internal HttpRequestMessage RequestFor(
        HttpRequestMessage original, UpstreamCall call, Leg leg, UpstreamDestination destination, DestinationState? chosenByYarp, bool isCopy)
    {
        var cluster = leg.Cluster;
        var request = isCopy || destination.State != chosenByYarp ? Copy(original, cluster) : original;
        if (destination.State != chosenByYarp)
            Redirect(request, call, cluster, destination.State, chosenByYarp);
        if (cluster.Options.Host is { } host)
            request.Headers.Host = host;
        if (leg.Kind == LegKind.Siblings)
        {
            request.Headers.Remove("Cache-Control");
            request.Headers.TryAddWithoutValidation("Cache-Control", "only-if-cached");
        }
        else if (leg.Kind == LegKind.Shield)
        {
            // A visitor who wants nothing but what is stored means what is stored here.
            OnlyIfCached.RemoveFrom(request.Headers);
        }

        return request;
    }

    private HttpResponseMessage Answer(UpstreamCall call, IReverseProxyFeature proxy, UpstreamCluster health, UpstreamAttempt attempt, HttpResponseMessage response)
    {
        call.Answer(attempt);
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols || IsEventStream(response))
            attempt.Leave(); // They may last for days, and do hardly anything.
        call.FetchedAt = attempt.FetchedAt;
        proxy.ProxiedDestination = attempt.Destination.State;
        if (attempt.Leg.Kind == LegKind.Origin && attempt.Leg.Cluster != health)
            parts.Metrics.FailedOver(health.Id, attempt.Leg.Cluster.Id);
        return response;
    }

    // As it came: what is parsed goes to the client as .NET would have written it.
    private static bool IsEventStream(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var types)
        && types.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    private HttpRequestMessage Copy(HttpRequestMessage original, UpstreamCluster cluster)
    {
        var copy = new HttpRequestMessage(original.Method, original.RequestUri)
        {
            Version = original.Version,
            VersionPolicy = original.VersionPolicy,
            Content = original.Content,
        };
        if (cluster.Id != clusterId)
        {
            var http = cluster.State.Model.Config.HttpRequest;
            copy.Version = http?.Version ?? HttpVersion.Version20;
            copy.VersionPolicy = http?.VersionPolicy ?? HttpVersionPolicy.RequestVersionOrLower;
        }

        foreach (var (name, values) in original.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(name, values);
        foreach (var (name, value) in original.Options.Where(static option => option.Key != UpstreamAttempt.OptionsKey.Key))
            ((IDictionary<string, object?>)copy.Options)[name] = value;
        return copy;
    }

    private void Redirect(HttpRequestMessage request, UpstreamCall call, UpstreamCluster cluster, DestinationState destination, DestinationState? chosenByYarp)
    {
        var address = request.RequestUri!.OriginalString;
        var before = chosenByYarp?.Model.Config.Address.TrimEnd('/') ?? "";
        var target = before.Length > 0 && address.StartsWith(before, StringComparison.OrdinalIgnoreCase) ? address[before.Length..] : request.RequestUri.PathAndQuery;
        request.RequestUri = new Uri(destination.Model.Config.Address.TrimEnd('/') + target, UriKind.Absolute);

        if (!string.IsNullOrEmpty(destination.Model.Config.Host))
            request.Headers.Host = destination.Model.Config.Host;
        else if (request.Headers.Host is { } host && host == chosenByYarp?.Model.Config.Host)
            request.Headers.Host = parts.Options.Forwarding.OriginalHost || cluster.Options.Peers ? call.Context!.Request.Host.Value : null;
    }

    /// <summary>A probe of YARP's health checks. Its policy looks at the body, and doesn't wait for it.</summary>
    private async Task<HttpResponseMessage> ProbeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var options = parts.Upstreams.OptionsOf(clusterId);
        if (options.Host is { } host)
            request.Headers.Host ??= host;
        OriginProof.Write(request, options.ProofKey, Time.GetUtcNow());
        if (!options.Peers)
            return await BufferAsync(await base.SendAsync(request, cancellationToken), options, cancellationToken);

        parts.Peers.Sign(request, [], Timeout.InfiniteTimeSpan);
        var response = await base.SendAsync(request, cancellationToken);
        if (parts.Peers.TryVerify(request, response, out _, out var fault))
            return await BufferAsync(response, options, cancellationToken);
        parts.PeerMetrics.ResponseRefused(fault);
        response.Dispose();
        throw new HttpRequestException(HttpRequestError.InvalidResponse, $"What answered the probe is no node of this CDN: {fault}.");
    }

    private static async Task<HttpResponseMessage> BufferAsync(HttpResponseMessage response, ClusterOptions options, CancellationToken cancellation)
    {
        if (options.Probe.Body is not null)
            await ProbeBody.BufferAsync(response, cancellation);
        return response;
    }
}

using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Peers;
using CdnEdge.Upstream.Ways;
using Microsoft.AspNetCore.Http;
using Polly;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Calls;

/// <summary>
/// One request on its way: who is asked next, and whether anybody is. First the legs in order, each with its healthy destinations;
/// where that asks nobody at all, the same once more without regard to health: trying the sick beats refusing the client.
/// </summary>
internal sealed class UpstreamRun
{
    /// <summary>More would load the destinations of a slow cluster with each other's requests.</summary>
    private const int MaxHedges = 2;

    /// <summary>The wait before a hedged request where too little is known of a cluster to say what is slow.</summary>
    private static readonly TimeSpan UnknownDelay = TimeSpan.FromSeconds(1);

    private static readonly ResiliencePropertyKey<UpstreamRun> RunKey = new("CdnEdge.UpstreamRun");
    private static readonly ResiliencePropertyKey<UpstreamAttempt> AttemptKey = new("CdnEdge.UpstreamAttempt");

    private readonly Lock _lock = new();
    private readonly UpstreamHandler _handler;
    private readonly HttpRequestMessage _request;
    private readonly Leg[] _legs;
    private readonly DestinationState? _chosenByYarp;
    private readonly List<UpstreamDestination> _asked = new(1);
    private readonly bool _isReplayable;
    private readonly bool _isSafe;

    private readonly TimeSpan _patience;
    private readonly long _started;

    private List<FailedHop>? _hops;
    private int _leg;
    private int _askedInLeg;
    private int _inFlight;
    private int _hedges;
    private bool _isFirstSlow;
    private bool _regardsHealth = true;
    private AttemptFailedException? _last;
    private HttpResponseMessage? _bestResponse;
    private UpstreamAttempt? _bestAttempt;
    private UpstreamCluster? _asking;

    /// <param name="handler">The handler of the cluster where the way begins.</param>
    /// <param name="call">What is told of the request and wants to be known.</param>
    /// <param name="request">The request as YARP made it.</param>
    /// <param name="legs">The way.</param>
    /// <param name="chosenByYarp">The destination that YARP made it for.</param>
    /// <param name="asker">The node that asks this one; null: a visitor does.</param>
    /// <param name="patience">How long it may take.</param>
    internal UpstreamRun(
        UpstreamHandler handler, UpstreamCall call, HttpRequestMessage request, Leg[] legs, DestinationState? chosenByYarp, PeerRequest? asker, TimeSpan patience)
    {
        (_handler, Call, _request, _legs, _chosenByYarp, _patience) = (handler, call, request, legs, chosenByYarp, patience);
        _started = handler.Time.GetTimestamp();
        CameThrough = asker?.Path ?? [];
        var method = request.Method.Method;
        var hasBody = request.Content is { Headers.ContentLength: not 0 };
        _isSafe = !hasBody && (HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method)) && !request.Headers.NonValidated.Contains("Upgrade");
        _isReplayable = _isSafe || (!hasBody && (HttpMethods.IsPut(method) || HttpMethods.IsDelete(method) || HttpMethods.IsTrace(method)));
    }

    /// <summary>The forward that it belongs to.</summary>
    internal UpstreamCall Call { get; }

    /// <summary>The nodes that the request came through to this one.</summary>
    internal IReadOnlyList<string> CameThrough { get; }

    /// <summary>How long it may still take.</summary>
    internal TimeSpan Left
    {
        get
        {
            var left = _patience - _handler.Time.GetElapsedTime(_started);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Another cluster comes after it.</summary>
    internal bool LeadsOnFrom(Leg leg) => leg != _legs[^1];

    /// <summary>Whether what a node answers is newer than what was purged here.</summary>
    internal bool IsNewEnough(HttpResponseMessage response, DateTimeOffset fetchedAt) => Call.IsNewEnough?.Invoke(response, fetchedAt) != false;

    internal static UpstreamRun Of(ResilienceContext context) => context.Properties.GetValue(RunKey, null!);

    internal static void Mark(ResilienceContext context, UpstreamAttempt attempt) => context.Properties.Set(AttemptKey, attempt);

    internal static UpstreamAttempt AttemptOf(ResilienceContext context) => context.Properties.GetValue(AttemptKey, null!);

    /// <summary>Another may be asked than the first: another cluster, or another destination of the same.</summary>
    internal bool HasOthers => _legs is not [{ Cluster.State.DestinationsState.AllDestinations.Count: 1 }];

    /// <summary>The first attempt; null: nobody can be asked.</summary>
    internal UpstreamAttempt? First()
    {
        lock (_lock)
            return Take(isHedge: false);
    }

    /// <summary>
    /// Asks until there is a response, or nobody is left to be asked. A first attempt that succeeds in good time, as nearly all do,
    /// needs no strategy around it.
    /// </summary>
    internal async ValueTask<Outcome<HttpResponseMessage>> RunAsync(UpstreamCluster cluster, UpstreamAttempt attempt, CancellationToken cancellation)
    {
        var stopFirst = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var first = RunAsync(attempt, default, stopFirst.Token).AsTask();
        try
        {
            if (await IsAnsweredInTimeAsync(first))
                return await first;
            return await GoOnAsync(cluster, first, stopFirst, cancellation);
        }
        finally
        {
            // One that was called off for another ends in its own time, and its token has to last until then.
            _ = first.ContinueWith(static (_, stop) => ((CancellationTokenSource)stop!).Dispose(), stopFirst, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Whether the first attempt has come to what is the end of it all, before another would be asked.</summary>
    private async ValueTask<bool> IsAnsweredInTimeAsync(Task<Outcome<HttpResponseMessage>> first)
    {
        var delay = HedgeDelay();
        try
        {
            var outcome = delay == Timeout.InfiniteTimeSpan ? await first : await first.WaitAsync(delay, _handler.Time, CancellationToken.None);
            return outcome.Exception is not AttemptFailedException;
        }
        catch (TimeoutException)
        {
            _isFirstSlow = true;
            return false;
        }
    }

    /// <summary>Polly's hedging around the first attempt, which has failed or is slow.</summary>
    private async ValueTask<Outcome<HttpResponseMessage>> GoOnAsync(
        UpstreamCluster cluster, Task<Outcome<HttpResponseMessage>> first, CancellationTokenSource stopFirst, CancellationToken cancellation)
    {
        using var total = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        total.CancelAfter(Left);
        var context = ResilienceContextPool.Shared.Get(total.Token);
        try
        {
            context.Properties.Set(RunKey, this);
            return await cluster.Hedging.ExecuteOutcomeAsync(
                static async (hedged, state) =>
                {
                    using var called = hedged.CancellationToken.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), state.stopFirst);
                    return await state.first;
                },
                context,
                (first, stopFirst));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>How long to wait for those who are asked now before another is asked as well.</summary>
    internal TimeSpan HedgeDelay()
    {
        lock (_lock)
        {
            if (_isFirstSlow)
            {
                _isFirstSlow = false;
                return TimeSpan.Zero; // It has been waited for already.
            }

            if (!_isSafe || _hedges >= MaxHedges || _asking is not { Options.Hedging: { Enabled: true } options } cluster)
                return Timeout.InfiniteTimeSpan;
            var delay = cluster.Latency.Percentile(options.Percentile) ?? UnknownDelay;
            return delay > options.MinDelay ? delay : options.MinDelay;
        }
    }

    /// <summary>The next attempt: because one failed, or because those under way are slow. Null: there's none to be made now.</summary>
    internal Func<CancellationToken, ValueTask<Outcome<HttpResponseMessage>>>? Next()
    {
        lock (_lock)
        {
            var isHedge = _inFlight > 0;
            if (isHedge ? !_isSafe || _hedges >= MaxHedges : _last is null || !(_isReplayable || _last.WasNeverSent))
                return null;

            var before = _asking;
            if (Take(isHedge) is not { } attempt)
                return null;
            if (isHedge)
                _hedges++;
            var wait = !isHedge && attempt.Destination.Cluster == before ? BackOff(before.Options.Retries) : default;
            return cancellation => RunAsync(attempt, wait, cancellation);
        }
    }

    /// <summary>The end, where no attempt succeeded: a response that counts as failure, if there was one, is still more than none.</summary>
    /// <param name="cause">Why it ended.</param>
    internal (HttpResponseMessage? Response, UpstreamAttempt? From, UpstreamFailedException? Failure) Conclude(Exception cause)
    {
        lock (_lock)
        {
            if (_bestResponse is { } response)
            {
                _bestResponse = null;
                return (response, _bestAttempt, null);
            }

            var failure = (cause as AttemptFailedException)?.Failure ?? ProxyStatus.ResponseTimeout;
            return (null, null, new UpstreamFailedException(failure with { Hops = [.. _hops ?? []], RetryAfter = RetryAfter() }, Tell(), cause));
        }
    }

    /// <summary>Lets go of a response that isn't needed after all.</summary>
    internal void DropResponse()
    {
        lock (_lock)
        {
            _bestResponse?.Dispose();
            _bestResponse = null;
            _bestAttempt = null;
        }
    }

    private async ValueTask<Outcome<HttpResponseMessage>> RunAsync(UpstreamAttempt attempt, TimeSpan wait, CancellationToken cancellation)
    {
        try
        {
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, _handler.Time, cancellation);
        }
        catch (OperationCanceledException called)
        {
            return Ended(attempt, Outcome.FromException<HttpResponseMessage>(called));
        }

        await attempt.RunAsync(cancellation);
        return Ended(attempt, attempt.Outcome);
    }

    /// <summary>To be told of every attempt's end.</summary>
    internal Outcome<HttpResponseMessage> Ended(UpstreamAttempt attempt, Outcome<HttpResponseMessage> outcome)
    {
        lock (_lock)
        {
            _inFlight--;
            if (outcome.Exception is AttemptFailedException failed)
                Note(attempt, failed);
        }

        return outcome;
    }

    private void Note(UpstreamAttempt attempt, AttemptFailedException failed)
    {
        _last = failed;
        if (!failed.IsOnlyAbsence)
            (_hops ??= []).Add(new FailedHop(attempt.Destination.Cluster.Id, attempt.Destination.Id, failed.Failure, (int?)failed.Response?.StatusCode));
        if (failed.Response is null)
            return;

        // An origin's word is worth more than a peer's about it.
        if (_bestResponse is not null && attempt.Leg.IsOfPeers)
        {
            failed.Response.Dispose();
            return;
        }

        _bestResponse?.Dispose();
        (_bestResponse, _bestAttempt) = (failed.Response, attempt);
    }

    /// <summary>Chooses who is asked next; null: nobody is left, or the budget is spent.</summary>
    private UpstreamAttempt? Take(bool isHedge)
    {
        while (true)
        {
            for (; _leg < _legs.Length; _leg++, _askedInLeg = 0)
            {
                var leg = _legs[_leg];
                var options = leg.Cluster.Options.Retries;
                var isFirst = _askedInLeg == 0;
                if (leg.Kind == LegKind.Siblings && !isFirst)
                    continue; // One sibling is asked: that which has it, if one does.
                if (!isFirst && _askedInLeg > options.Attempts)
                    continue;
                if (DestinationChoice.Of(leg, Call, _asked, _chosenByYarp, _regardsHealth, isLastLeg: _leg == _legs.Length - 1) is not { } destination)
                    continue;

                // What never left was no load to anybody: going elsewhere with it is no retry.
                if (isHedge || (!isFirst && _last is not { WasNeverSent: true }))
                {
                    if (!leg.Cluster.Budget.TryTake(options.Budget, options.MinBudget))
                    {
                        _handler.Metrics.RefusedByBudget(leg.Cluster.Id);
                        if (isHedge)
                            return null;
                        continue;
                    }
                }

                if (isFirst)
                    leg.Cluster.Budget.OnRequest();
                _askedInLeg++;
                _asked.Add(destination);
                _asking = leg.Cluster;
                _inFlight++;
                return new UpstreamAttempt(_handler, this, leg, destination, _handler.RequestFor(_request, Call, leg, destination, _chosenByYarp, isCopy: isHedge || _asked.Count > 1), isHedge);
            }

            if (!_regardsHealth || _asked.Count > 0)
                return null;
            _regardsHealth = false;
            _leg = 0;
        }
    }

    private TimeSpan BackOff(RetryOptions options)
    {
        var longest = options.BackOff * Math.Pow(2, Math.Max(0, _askedInLeg - 2));
        return longest * (0.5 + Random.Shared.NextDouble());
    }

    /// <summary>Until a breaker on the way lets somebody through; null: none is open.</summary>
    private TimeSpan? RetryAfter()
    {
        var now = _handler.Time.GetUtcNow();
        var soonest = _legs.SelectMany(static leg => leg.Cluster.Destinations).Select(static one => one.BrokenUntil).Where(until => until > now).DefaultIfEmpty().Min();
        return soonest > now ? soonest - now : null;
    }

    private string Tell() => _hops is null
        ? $"Nobody could be asked on the way {string.Join(" > ", _legs.Select(static leg => leg.Cluster.Id))}."
        : $"Asked in vain: {string.Join("; ", _hops.Select(static hop => $"{hop.Cluster}/{hop.Destination}: {hop.Failure.Error}{(hop.ReceivedStatus is { } status ? $" ({status})" : "")}"))}.";
}

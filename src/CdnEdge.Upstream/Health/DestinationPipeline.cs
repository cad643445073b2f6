using CdnEdge.Upstream.Calls;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Telemetry;
using Polly.Timeout;

namespace CdnEdge.Upstream.Health;

/// <summary>
/// Polly's strategies around the requests to one destination: first-byte timeout, concurrency limit and circuit breaker, in this order.
/// </summary>
/// <remarks>
/// Requests on which none of them has to act, as nearly all are, cost a fraction of that: see <see cref="TryPass"/>. Polly's meter
/// tells of both alike.
/// </remarks>
internal sealed class DestinationPipeline
{
    private readonly UpstreamDestination _destination;
    private readonly string _name;
    private readonly ResilienceTelemetrySource _source;
    private readonly TimeProvider _time;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline<HttpResponseMessage> _breaker;
    private readonly ResiliencePipeline<HttpResponseMessage> _whole;
    private readonly TelemetryListener _telemetry;

    internal DestinationPipeline(UpstreamDestination destination, TelemetryOptions telemetry, TimeProvider time)
    {
        (_destination, _time) = (destination, time);
        _name = $"{destination.Cluster.Id}/{destination.Id}";
        _source = new ResilienceTelemetrySource(_name, null, null);
        FirstByte = destination.Cluster.Options.Timeouts.FirstByte;
        var builder = Builder().ConfigureTelemetry(telemetry);
        _telemetry = builder.TelemetryListener!;
        _breaker = Breaker();
        _whole = builder
            .AddTimeout(new TimeoutStrategyOptions { Name = "first-byte", Timeout = FirstByte })
            .AddRateLimiter(new RateLimiterStrategyOptions
            {
                Name = "concurrency",
                RateLimiter = args => destination.Room.EnterAsync(UpstreamRun.AttemptOf(args.Context), args.Context.CancellationToken),
            })
            .AddPipeline(_breaker)
            .Build();
    }

    internal TimeSpan FirstByte { get; }

    /// <summary>
    /// Lets a request past the strategies: the breaker is closed, and a place is free, which the attempt has then. It takes
    /// <see cref="FirstByte"/> as its timeout, and tells <see cref="OnPassedAsync"/> how it ended.
    /// </summary>
    internal bool TryPass(UpstreamAttempt attempt)
    {
        if (_state.CircuitState != CircuitState.Closed || _destination.Room.TryEnter() is not { } lease)
            return false;
        attempt.Hold(lease);
        return true;
    }

    /// <summary>What was let past has a response, or has failed.</summary>
    /// <remarks>It waits where this makes the breaker open: who is told next finds it open.</remarks>
    internal async ValueTask OnPassedAsync(UpstreamAttempt attempt, Outcome<HttpResponseMessage> outcome, TimeSpan elapsed, bool isLate)
    {
        var context = ResilienceContextPool.Shared.Get();
        UpstreamRun.Mark(context, attempt);
        if (isLate)
            Tell(new ResilienceTelemetrySource(_name, null, "first-byte"), new ResilienceEvent(ResilienceEventSeverity.Error, "OnTimeout"), context, new OnTimeoutArguments(context, FirstByte), null);
        Tell(_source, new ResilienceEvent(ResilienceEventSeverity.Information, "PipelineExecuted"), context, new PipelineExecutedArguments(elapsed), outcome);

        // One that opened in the meantime has heard enough, and would take this for its probe.
        if (_state.CircuitState == CircuitState.Closed)
            await _breaker.ExecuteOutcomeAsync(static (_, outcome) => ValueTask.FromResult(outcome), context, outcome);
        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>Runs an attempt through all strategies.</summary>
    internal async ValueTask<Outcome<HttpResponseMessage>> RunAsync(UpstreamAttempt attempt, CancellationToken cancellation)
    {
        var context = ResilienceContextPool.Shared.Get(cancellation);
        try
        {
            UpstreamRun.Mark(context, attempt);
            return await _whole.ExecuteOutcomeAsync(static async (resilience, one) => await one.SendAsync(resilience.CancellationToken), context, attempt);
        }
        catch (OperationCanceledException called)
        {
            // The limiter throws when its caller leaves the queue.
            return Outcome.FromException<HttpResponseMessage>(called);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private ResiliencePipeline<HttpResponseMessage> Breaker()
    {
        var options = _destination.Cluster.Options.Breaker;
        var builder = Builder();
        builder.TelemetryListener = new EventsOfStrategies(_telemetry);
        return builder
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                Name = "breaker",
                FailureRatio = options.FailureRatio,
                MinimumThroughput = options.MinRequests,
                SamplingDuration = options.Window,
                BreakDuration = options.Break,
                StateProvider = _state,
                ShouldHandle = static args => ValueTask.FromResult(UpstreamRun.AttemptOf(args.Context).IsFailure(args.Outcome.Exception)),
                OnOpened = args =>
                {
                    _destination.OnBreakerOpened(args.BreakDuration, (args.Outcome.Exception as AttemptFailedException)?.Failure.Error ?? "no response in time");
                    return default;
                },
                OnClosed = args =>
                {
                    if (!args.IsManual)
                        _destination.OnBreakerClosed();
                    return default;
                },
            })
            .Build();
    }

    private ResiliencePipelineBuilder<HttpResponseMessage> Builder() => new() { Name = _name, TimeProvider = _time };

    private void Tell<TArguments>(
        ResilienceTelemetrySource source, ResilienceEvent what, ResilienceContext context, TArguments arguments, Outcome<HttpResponseMessage>? outcome) =>
        _telemetry.Write(new TelemetryEventArguments<HttpResponseMessage, TArguments>(source, what, context, arguments, outcome));

    /// <summary>The breaker is a pipeline of its own only so that it can be told: its runs aren't requests.</summary>
    private sealed class EventsOfStrategies(TelemetryListener inner) : TelemetryListener
    {
        public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
        {
            if (typeof(TArgs) != typeof(PipelineExecutingArguments) && typeof(TArgs) != typeof(PipelineExecutedArguments))
                inner.Write(args);
        }
    }
}

using CdnEdge.Upstream.Calls;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.RateLimiting;
using Polly.Telemetry;
using Polly.Timeout;

namespace CdnEdge.Upstream.Health;

/// <summary>
/// What requests to upstreams run through, made of Polly's strategies: per cluster hedging, which with what it does after failures is
/// retry and failover too; per destination first-byte timeout, concurrency limit and circuit breaker, in this order.
/// </summary>
/// <remarks>Polly's meter <c>Polly</c> tells of each under the names <c>CLUSTER</c> and <c>CLUSTER/DESTINATION</c>.</remarks>
internal sealed class UpstreamPipelines(TimeProvider time)
{
    /// <summary>As many as Polly lets one call make. How many it does make, <see cref="UpstreamRun"/> decides.</summary>
    private const int MostAttempts = 10;

    // What there is to say is logged by HealthReport, in the words of this program.
    private readonly TelemetryOptions _telemetry = new() { LoggerFactory = NullLoggerFactory.Instance };

    internal ResiliencePipeline<HttpResponseMessage> Hedging(string cluster) =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { Name = cluster, TimeProvider = time }
            .ConfigureTelemetry(_telemetry)
            .AddHedging(new HedgingStrategyOptions<HttpResponseMessage>
            {
                Name = "hedging",
                MaxHedgedAttempts = MostAttempts,
                ShouldHandle = static args => ValueTask.FromResult(args.Outcome.Exception is AttemptFailedException),
                DelayGenerator = static args => ValueTask.FromResult(UpstreamRun.Of(args.Context).HedgeDelay()),
                ActionGenerator = static args =>
                    UpstreamRun.Of(args.PrimaryContext).Next() is { } next ? () => next(args.ActionContext) : null,
            })
            .Build();

    internal ResiliencePipeline<HttpResponseMessage> ForDestination(UpstreamDestination destination)
    {
        var options = destination.Cluster.Options;
        return new ResiliencePipelineBuilder<HttpResponseMessage> { Name = $"{destination.Cluster.Id}/{destination.Id}", TimeProvider = time }
            .ConfigureTelemetry(_telemetry)
            .AddTimeout(new TimeoutStrategyOptions { Name = "first-byte", Timeout = options.Timeouts.FirstByte })
            .AddRateLimiter(new RateLimiterStrategyOptions
            {
                Name = "concurrency",
                RateLimiter = args => destination.Room.EnterAsync(UpstreamRun.AttemptOf(args.Context), args.Context.CancellationToken),
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                Name = "breaker",
                FailureRatio = options.Breaker.FailureRatio,
                MinimumThroughput = options.Breaker.MinRequests,
                SamplingDuration = options.Breaker.Window,
                BreakDuration = options.Breaker.Break,
                ShouldHandle = static args => ValueTask.FromResult(UpstreamRun.AttemptOf(args.Context).IsFailure(args.Outcome.Exception)),
                OnOpened = args =>
                {
                    destination.OnBreakerOpened(args.BreakDuration, (args.Outcome.Exception as AttemptFailedException)?.Failure.Error ?? "no response in time");
                    return default;
                },
                OnClosed = args =>
                {
                    if (!args.IsManual)
                        destination.OnBreakerClosed();
                    return default;
                },
            })
            .Build();
    }
}

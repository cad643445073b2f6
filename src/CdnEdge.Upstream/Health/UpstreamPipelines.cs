using CdnEdge.Upstream.Calls;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Hedging;
using Polly.Telemetry;

namespace CdnEdge.Upstream.Health;

/// <summary>
/// What requests to upstreams run through, made of Polly's strategies: per cluster hedging, which with what it does after failures is
/// retry and failover too; per destination a <see cref="DestinationPipeline"/>.
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
                    UpstreamRun.Of(args.PrimaryContext).Next() is { } next ? () => next(args.ActionContext.CancellationToken) : null,
            })
            .Build();

    internal DestinationPipeline ForDestination(UpstreamDestination destination) => new(destination, _telemetry, time);
}

using System.Threading.RateLimiting;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Ways;
using Microsoft.AspNetCore.Http;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Timeout;

namespace CdnEdge.Upstream.Calls;

/// <summary>One request to one destination, from its place in the queue to the end of its response.</summary>
internal sealed class UpstreamAttempt(
    UpstreamHandler handler, UpstreamRun run, Leg leg, UpstreamDestination destination, HttpRequestMessage request, bool isHedge)
{
    internal static readonly HttpRequestOptionsKey<UpstreamAttempt> OptionsKey = new("CdnEdge.UpstreamAttempt");

    private RateLimitLease? _lease;
    private CancellationToken _abandoned;
    private long _started;
    private bool _begun;

    internal UpstreamRun Run { get; } = run;

    internal Leg Leg { get; } = leg;

    internal UpstreamDestination Destination { get; } = destination;

    internal HttpRequestMessage Request { get; } = request;

    internal bool IsHedge { get; } = isHedge;

    /// <summary>It has left the queue.</summary>
    internal bool WasSent { get; set; }

    /// <summary>When it began, by this node's clock.</summary>
    internal DateTimeOffset StartedAt { get; private set; }

    /// <summary>When the fetch of what a peer answers began, at the latest; null where no peer answers.</summary>
    internal DateTimeOffset? FetchedAt { get; set; }

    /// <summary>Called off by the client, or because another attempt was faster: that says nothing of the destination.</summary>
    internal bool IsAbandoned => _abandoned.IsCancellationRequested;

    internal void Hold(RateLimitLease lease) => _lease = lease;

    /// <summary>What came of it, when it has run: what failed is an <see cref="AttemptFailedException"/>, or cancelled.</summary>
    internal Outcome<HttpResponseMessage> Outcome { get; private set; }

    /// <summary>Runs it, through the destination's pipeline where that has to act.</summary>
    internal async Task RunAsync(CancellationToken cancellation)
    {
        _abandoned = cancellation;
        _started = handler.Time.GetTimestamp();
        StartedAt = handler.Time.GetUtcNow();
        Destination.Begin();
        _begun = true;
        var pipeline = Destination.Pipeline;
        if (!pipeline.TryPass(this))
        {
            End(await pipeline.RunAsync(this, cancellation));
            return;
        }

        var timer = FirstByteTimer.Rent(pipeline.FirstByte, handler.Time, cancellation);
        Outcome<HttpResponseMessage> outcome;
        try
        {
            outcome = Judge(await handler.SendToAsync(this, timer.Token));
        }
#pragma warning disable CA1031 // Whatever it was is the attempt's outcome.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            outcome = Polly.Outcome.FromException<HttpResponseMessage>(exception);
        }

        var isLate = timer.IsCancellationRequested && !IsAbandoned;
        timer.Return();
        await pipeline.OnPassedAsync(this, outcome, handler.Time.GetElapsedTime(_started), isLate);
        End(outcome);
    }

    /// <summary>The request itself, as the pipeline runs it.</summary>
    internal async ValueTask<Outcome<HttpResponseMessage>> SendAsync(CancellationToken cancellation)
    {
        try
        {
            return Judge(await handler.SendToAsync(this, cancellation));
        }
#pragma warning disable CA1031 // Whatever it was is told to the pipeline as the attempt's outcome.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Polly.Outcome.FromException<HttpResponseMessage>(exception);
        }
    }

    private Outcome<HttpResponseMessage> Judge(HttpResponseMessage response) =>
        handler.Objection(this, response) is { } objection
            ? Polly.Outcome.FromException<HttpResponseMessage>(objection)
            : Polly.Outcome.FromResult(response);

    private void End(Outcome<HttpResponseMessage> outcome)
    {
        Outcome = outcome;
        var elapsed = handler.Time.GetElapsedTime(_started);
        if (outcome.Exception is not { } exception)
        {
            Destination.OnLatency(elapsed);
            handler.Metrics.FirstByte(Destination.Cluster.Id, elapsed);
            handler.Metrics.Attempted(Destination.Cluster.Id, Destination.Id, "ok", IsHedge);
            return;
        }

        if (IsAbandoned)
        {
            if (WasSent)
                Destination.OnLatency(elapsed);
            End("given_up", counts: false);
            return;
        }

        var failed = Failed(exception);
        End(failed.Failure.Error, failed.CountsAgainstDestination);
        Outcome = Polly.Outcome.FromException<HttpResponseMessage>(failed);
    }

    /// <summary>
    /// Of an outcome: whether the breaker counts it as a failure. An error that was answered counts only where another cluster can do
    /// better: who answers some URLs with 503 isn't to be cut off for all of them.
    /// </summary>
    internal bool IsFailure(Exception? exception) =>
        exception is not null
        && !IsAbandoned
        && Failed(exception) is { CountsAgainstDestination: true } failed
        && (failed.Response is null || Run.LeadsOnFrom(Leg));

    /// <summary>Gives its place to the next: the response goes on without one.</summary>
    internal void Leave() => Interlocked.Exchange(ref _lease, null)?.Dispose();

    /// <summary>The response has come to its end.</summary>
    /// <param name="error">What broke it off; null: nothing.</param>
    internal void End(string? error) => End(error ?? "ok", counts: error is not null, isWhole: error is null);

    private void End(string outcome, bool counts, bool isWhole = false)
    {
        Leave();
        if (!_begun)
            return;
        _begun = false;
        Destination.End();
        if (isWhole)
            Destination.OnSuccess();
        else
            handler.Metrics.Attempted(Destination.Cluster.Id, Destination.Id, outcome, IsHedge);
        if (counts)
            Destination.OnFailure(outcome);
    }

    private AttemptFailedException Failed(Exception exception) => exception switch
    {
        AttemptFailedException failed => failed,
        BrokenCircuitException broken => new(ProxyStatus.Broken, broken) { WasNeverSent = true, CountsAgainstDestination = false },
        RateLimiterRejectedException full => new(ProxyStatus.Overloaded, full) { WasNeverSent = true, CountsAgainstDestination = false },
        TimeoutRejectedException late when !WasSent => new(ProxyStatus.Overloaded, late) { WasNeverSent = true, CountsAgainstDestination = false },
        TimeoutRejectedException late => new(ProxyStatus.ResponseTimeout, late),
        OperationCanceledException { InnerException: TimeoutException } late => new(ProxyStatus.ConnectionTimeout, late) { WasNeverSent = true },
        OperationCanceledException late => new(ProxyStatus.ResponseTimeout, late),
        _ when Downgrade.AskedFor(exception) is not null => new(ProxyStatus.Incomplete, exception) { CountsAgainstDestination = false },
        _ when ProxyStatus.First<BadHttpRequestException>(exception) is not null =>
            new(ProxyStatus.Incomplete, exception) { CountsAgainstDestination = false }, // The client's own body, YARP tells.
        _ => new(ProxyStatus.BeforeResponse(exception), exception)
        {
            WasNeverSent = ProxyStatus.First<HttpRequestException>(exception)?.HttpRequestError
                is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        },
    };
}

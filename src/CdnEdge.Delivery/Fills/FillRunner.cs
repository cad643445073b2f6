using System.Diagnostics;
using CdnEdge.Caching;
using CdnEdge.Delivery.Forwarding;
using CdnEdge.Delivery.Routing;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// Runs fills: asks the second tier, then upstream through YARP's pipeline, publishes what comes, stores what may be stored.
/// </summary>
internal sealed partial class FillRunner(CacheServices services)
{
    /// <summary>A body that breaks off again and again, a little further each time, is given up.</summary>
    private const int MaxResumptions = 4;

    private readonly TierFills _tier = new(services);

    /// <summary>
    /// Starts a fill on behalf of <paramref name="context"/>'s request, which is copied here and not touched again.
    /// </summary>
    internal void Start(Fill fill, FillPlan plan, HttpContext context, CachedRoute route, CachePolicy policy)
    {
        FillJob job;
        try
        {
            job = new FillJob(fill, plan, new CapturedRequest(context), route, policy, Activity.Current);
        }
        catch
        {
            // It's in the table already: nobody may wait for a fill that never ran.
            services.Fills.Fail(fill, ProxyStatus.InternalError);
            plan.Stored?.EndRevalidation();
            throw;
        }

        // Without the client's execution context: what hangs on it (its HttpContext, first of all) ends with the client.
        ThreadPool.UnsafeQueueUserWorkItem(
            static state => _ = state.Runner.RunAsync(state.Job),
            (Runner: this, Job: job),
            preferLocal: true);
    }

    /// <summary>RFC 5861 §3: asks whether what is served stale meanwhile is still good. At most one at a time.</summary>
    /// <param name="context">The request that found it stale.</param>
    /// <param name="route">The route that it matched.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="stored">What is stale.</param>
    /// <param name="seen">Its head as it was found.</param>
    internal void RevalidateInBackground(HttpContext context, CachedRoute route, CachePolicy policy, StoredResponse stored, StoredHead seen)
    {
        if (!stored.TryBeginRevalidation())
        {
            return;
        }

        if (!ReferenceEquals(stored.Head, seen) || stored.Resource is not { } resource)
        {
            // Another one has just ended: what this request found stale is fresh by now, or replaced.
            stored.EndRevalidation();
            return;
        }

        var fill = services.Fills.GetOrAdd(new FillKey(resource.Key, seen.Variance.SelectingKey(policy, context.Request.Headers)), services.Epochs, out var started);
        if (started)
        {
            Start(fill, FillPlan.For(stored) with { Tier = TierUse.FreshOnly }, context, route, policy);
        }
        else
        {
            stored.EndRevalidation();
        }
    }

    private async Task RunAsync(FillJob job)
    {
        var fill = job.Fill;
        Activity.Current = job.Parent;
        try
        {
            var plan = job.Plan;
            using var timeout = job.Request.HasTimeout ? FillTimeout.For(job.Route.Endpoint, services.Provider, services.Time) : null;
            switch (await AskTierAsync(job, timeout))
            {
                case TierOutcome.Answered:
                    return;

                case TierOutcome.BrokeOff:
                    await ResumeFromTierAsync(job, timeout);
                    return;
            }

            if (plan.Tier == TierUse.NothingElse)
            {
                services.Fills.Remove(fill);
                fill.GiveWay();
                return;
            }

            while (await TryOnceAsync(job, plan, timeout) == ExchangeResult.AskPlainly)
            {
                plan = plan.AskingPlainly;
            }
        }
#pragma warning disable CA1031 // The top of a detached flow: whatever went wrong must reach the waiting clients and the log.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (!fill.Cancelled.IsCancellationRequested)
            {
                Log.FillBroke(services.Logger, exception, fill.Key.Key.ToString());
            }

            services.Fills.Fail(fill, ProxyStatus.InternalError);
        }
        finally
        {
            services.Fills.Remove(fill);
            job.Plan.Stored?.EndRevalidation();
            fill.ReleaseBody();
            await job.DisposeAsync();
        }
    }

    private async Task<TierOutcome> AskTierAsync(FillJob job, FillTimeout? timeout)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(job.Fill.Cancelled, timeout?.RequestTimeoutToken ?? default);
        try
        {
            return await _tier.TryAnswerAsync(job, stop.Token);
        }
        catch (OperationCanceledException) when (timeout is { HasElapsed: true })
        {
            services.Fills.Fail(job.Fill, timeout.Failure);
            return TierOutcome.Answered;
        }
    }

    private async Task ResumeFromTierAsync(FillJob job, FillTimeout? timeout)
    {
        var fill = job.Fill;
        if (await ResumeAsync(job, timeout, fill.Head!.ContentLength, after: null, ProxyStatus.Incomplete) is { } failure)
        {
            services.NotStored(fill.Key.Key, NoStoreReason.Incomplete);
            services.Fills.Fail(fill, failure);
        }
        else
        {
            _tier.End(job);
        }
    }

    /// <summary>Asks for the rest of a body that broke off, again as long as some of it comes. Null: it's whole.</summary>
    /// <param name="job">The fill.</param>
    /// <param name="timeout">The route's.</param>
    /// <param name="length">How long the whole is; null: not known.</param>
    /// <param name="after">Where it broke off; null: in the second tier.</param>
    /// <param name="failure">Why it did.</param>
    private async Task<ProxyStatus?> ResumeAsync(FillJob job, FillTimeout? timeout, long? length, HttpContext? after, ProxyStatus failure)
    {
        var fill = job.Fill;
        var validator = BodyResumption.ValidatorOf(fill.Head!);
        var policy = job.Policy;
        for (var attempt = 0; attempt < MaxResumptions; attempt++)
        {
            var resumption = new BodyResumption(fill, length, validator, services.MaxObjectBytesOf(policy));
            var before = fill.Body!.Length;
            await using var scope = services.Provider.CreateAsyncScope();
            using var response = new CapturedResponse(resumption, fill.Cancelled, timeout?.RequestTimeoutToken ?? default);
            var context = job.Request.CreateContext(job.Plan.Resuming(before, validator), job.Route.Endpoint, scope.ServiceProvider, response, timeout);
            var call = services.BeginCall(context, fill.Key.Key, policy, after?.Features.Get<IReverseProxyFeature>()?.ProxiedDestination);
            try
            {
                await job.Route.Forward(context);
                UpstreamReport.Failure(services.Logger, context);
                if (!response.IsAborted && ProxyStatus.Of(context) is null)
                {
                    await response.CompleteAsync();
                    resumption.EndHere();
                }
            }
            finally
            {
                call.Finish(context);
            }

            if (resumption.IsWhole)
                return null;
            failure = ProxyStatus.Of(context) ?? failure;
            if (resumption.IsHopeless || fill.Body.Length == before || fill.Cancelled.IsCancellationRequested || timeout is { HasElapsed: true })
                return failure;
            (length, after) = (resumption.Length, context);
        }

        return failure;
    }

    private async Task<ExchangeResult> TryOnceAsync(FillJob job, FillPlan plan, FillTimeout? timeout)
    {
        await using var scope = services.Provider.CreateAsyncScope();
        using var exchange = new FillExchange(services, job, plan);
        using var response = new CapturedResponse(exchange, job.Fill.Cancelled, timeout?.RequestTimeoutToken ?? default);
        var context = job.Request.CreateContext(plan, job.Route.Endpoint, scope.ServiceProvider, response, timeout);
        exchange.Context = context;
        var call = services.BeginCall(context, job.Fill.Key.Key, job.Policy);
        try
        {
            using (InterimResponses.Begin(exchange))
            {
                await job.Route.Forward(context);
            }

            if (timeout is { HasElapsed: true } && ProxyStatus.Of(context) is not null)
            {
                // The cause, before what came of it: YARP sees a request that was called off, no more.
                services.Fills.Fail(job.Fill, timeout.Failure);
                UpstreamReport.Failure(services.Logger, context, timeout.Failure, null);
            }
            else if (exchange.Result != ExchangeResult.AskPlainly)
            {
                UpstreamReport.Failure(services.Logger, context);
            }

            if (!response.HasStarted && ProxyStatus.Of(context) is { } failure)
            {
                exchange.OnFailure(failure);
                return exchange.Result;
            }

            await response.CompleteAsync();
        }
        catch (Exception) when (exchange.Result == ExchangeResult.AskPlainly)
        {
            // The exchange gave this answer up itself.
            return ExchangeResult.AskPlainly;
        }
        finally
        {
            call.Finish(context);
        }

        if (exchange.Finish(response) == ExchangeResult.BrokeOff)
        {
            var failure = ProxyStatus.Of(context) ?? ProxyStatus.Incomplete;
            exchange.End(await ResumeAsync(job, timeout, job.Fill.Head!.ContentLength, context, failure), trailers: null);
            return ExchangeResult.Done;
        }

        return exchange.Result;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The fill of '{Url}' ended with an unexpected error.", EventName = "FillBroke")]
        internal static partial void FillBroke(ILogger logger, Exception exception, string url);
    }
}

using CdnEdge.Caching;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Routing;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Forwarding;

/// <summary>Why and how a request is forwarded on its own.</summary>
/// <param name="Forward">Cache-Status's word for it.</param>
/// <param name="Detail">Cache-Status's detail; null for none.</param>
/// <param name="MayStore">A copy of the answer may be stored as it passes.</param>
internal readonly record struct DirectPlan(ForwardReason Forward, string? Detail, bool MayStore);

/// <summary>
/// Forwards a request on its own, in the client's own context: what can't be cached (uploads, WebSockets, streams), and
/// what mustn't wait for or share another's answer. The answer streams at the client's pace; a storable one is copied
/// into the store as it passes.
/// </summary>
internal sealed class DirectForwarder(CacheServices services)
{
    internal async Task ForwardAsync(HttpContext context, CachedRoute route, CachePolicy policy, Lookup? lookup, DirectPlan plan)
    {
        var conditions = ForwardedConditions.Begin(context.Request.Headers, policy);
        var exchange = new DirectExchange(services, context, policy, lookup, plan) { Conditions = conditions };
        context.Response.OnStarting(static state => ((DirectExchange)state).OnStartingAsync(), exchange);

        var original = context.Features.Get<IHttpResponseBodyFeature>();
        var looksOn = original is not null && (plan.MayStore || lookup?.Stored is not null);
        if (looksOn)
        {
            context.Features.Set<IHttpResponseBodyFeature>(new CopyingBody(original!, exchange));
        }

        var call = services.BeginCall(context, lookup?.Key, policy);
        try
        {
            using (exchange.Interims is null ? null : InterimResponses.Begin(exchange.Interims))
            {
                await route.Forward(context);
            }

            conditions?.Restore();
            UpstreamReport.Failure(services.Logger, context);
            if (ProxyStatus.Of(context) is not { } failure)
            {
                if (exchange.TakeStandIn() is { } stale)
                {
                    context.Features.Set(original);
                    exchange.IsAnsweredByEdge = true;
                    await ServeStaleAsync(context, policy, stale, context.Response.StatusCode, services.Time.GetUtcNow());
                    return;
                }

                await exchange.CompleteAsync();
            }
            else if (!context.Response.HasStarted)
            {
                await AnswerFailureAsync(context, policy, lookup, plan, failure, exchange);
            }
        }
        finally
        {
            call.Finish(context);
            if (looksOn)
            {
                context.Features.Set(original);
            }

            exchange.Dispose();
        }
    }

    private async Task AnswerFailureAsync(
        HttpContext context, CachePolicy policy, Lookup? lookup, DirectPlan plan, ProxyStatus failure, DirectExchange exchange)
    {
        exchange.IsAnsweredByEdge = true;
        var now = services.Time.GetUtcNow();
        if (lookup?.Stored is { Body: not PartialBody } stored
            && services.Memory.Survives(stored, now)
            && Reuse.MayServeOnError(stored.Head, lookup.Directives, disconnected: true, now)
            && stored.TryAcquireBody())
        {
            await ServeStaleAsync(context, policy, stored, errorStatus: null, now);
            return;
        }

        services.Serving(context, CacheOutcome.Error);
        var status = new CacheStatus { Forward = plan.Forward, Detail = failure.Error };
        await ErrorResponder.WriteFailureAsync(context, failure, services, policy, status.Format(services.Name));
    }

    /// <summary>In place of upstream's error, or of nothing (null). Takes over the reference on the body.</summary>
    private Task ServeStaleAsync(HttpContext context, CachePolicy policy, StoredResponse stale, int? errorStatus, DateTimeOffset now)
    {
        services.Memory.Touch(stale);
        services.Serving(context, CacheOutcome.Stale);
        context.Response.Clear();
        var head = stale.Head;
        var peer = PeerAnswer.Of(context);
        peer?.IsFrom(head);

        // As long as it's held here there's something to take.
        services.Codings.TryTake(stale, head, policy, context.Request.Headers, asStored: peer is not null, out var chosen);
        stale.Body?.Release();
        return StoredResponder.ServeAsync(context, in chosen, now, StaleStatus.Of(services.Name, head, errorStatus, now));
    }
}

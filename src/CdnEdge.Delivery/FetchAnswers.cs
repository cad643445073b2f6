using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Forwarding;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>How a request past the hit is answered: from a fill, from what is stored by now, from something stale, or on its own.</summary>
internal sealed class FetchAnswers(CacheServices services, DirectForwarder direct)
{
    /// <summary>From a fill whose head has come, whichever way it ended: its response, what it validated, something stale, an error.</summary>
    internal async Task AnswerAsync(HttpContext context, Lookup lookup, Fill fill, FillReader reader, FillHead head, bool collapsed)
    {
        if (head.Result == FillResult.Validated)
        {
            await AnswerValidatedAsync(context, lookup, head, collapsed);
            return;
        }

        var usable = head.Result != FillResult.Failure && await FillResponder.HasUsableBodyAsync(fill, services.Time, context.RequestAborted);
        if ((!usable || CacheableStatus.IsOriginError(head.Status))
            && await TryServeStaleAsync(context, lookup, usable ? head.Status : null))
        {
            return;
        }

        var status = new CacheStatus { Forward = lookup.ForwardReason, Collapsed = collapsed };
        if (!usable)
        {
            services.Serving(context, CacheOutcome.Error);
            var failure = fill.Failure ?? ProxyStatus.Incomplete;
            if (lookup.Stored is { Head.ForbidsStale: true })
            {
                // RFC 9111 §5.2.2.2: something is stored that mustn't be used unvalidated; the status for that is 504.
                failure = failure with { StatusCode = StatusCodes.Status504GatewayTimeout };
            }

            await ErrorResponder.WriteFailureAsync(context, failure, services, lookup.Policy, (status with { Detail = failure.Error }).Format(services.Name));
            return;
        }

        if (head.IsFromTier)
        {
            var now = services.Time.GetUtcNow();
            services.Serving(context, CacheOutcome.Hit);
            await FillAnswer.WriteAsync(context, lookup.Policy, fill, reader, head, collapsed: true, now, services.HitStatus(head.Stored!, now, "redis"));
            return;
        }

        services.Serving(context, CacheOutcome.Miss);
        status = status with
        {
            ForwardStatus = head.Status,
            Stored = head.Stored is not null ? true : null,
            Detail = head.Reason == NoStoreReason.None ? null : CacheMetrics.NameOf(head.Reason),
        };
        await FillAnswer.WriteAsync(context, lookup.Policy, fill, reader, head, collapsed, services.Time.GetUtcNow(), status.Format(services.Name));
    }

    private async Task AnswerValidatedAsync(HttpContext context, Lookup lookup, FillHead head, bool collapsed)
    {
        if (!TryTake(context, lookup, head.Validated!, head.Stored!, out var chosen))
        {
            // Evicted in this very moment: its bytes are gone, so ask for them.
            await ForwardAloneAsync(context, lookup, "evicted");
            return;
        }

        services.Memory.Touch(head.Validated!);
        services.Serving(context, CacheOutcome.Revalidated);
        var now = services.Time.GetUtcNow();
        var status = new CacheStatus
        {
            Forward = lookup.ForwardReason,
            ForwardStatus = StatusCodes.Status304NotModified,
            Ttl = (long)Math.Floor(head.Stored!.Freshness.Remaining(now).TotalSeconds),
            Collapsed = collapsed,
        };
        PeerAnswer.Of(context)?.IsFrom(head.Stored);
        await StoredResponder.ServeAsync(context, in chosen, now, status.Format(services.Name));
    }

    /// <summary>
    /// RFC 9111 §4.2.4, RFC 5861 §4: the stale response in place of an error, where that's allowed.
    /// <paramref name="errorStatus"/> null: no response came at all.
    /// </summary>
    internal async Task<bool> TryServeStaleAsync(HttpContext context, Lookup lookup, int? errorStatus)
    {
        var now = services.Time.GetUtcNow();
        if (lookup.Stored is not { } stored
            || !services.Memory.Survives(stored, now)
            || !StoredSelection.HasWhatIsAskedFor(stored, stored.Head, context.Request, now)
            || !Reuse.MayServeOnError(stored.Head, lookup.Directives, disconnected: errorStatus is null, now)
            || !TryTake(context, lookup, stored, stored.Head, out var chosen))
        {
            return false;
        }

        services.Memory.Touch(stored);
        services.Serving(context, CacheOutcome.Stale);
        PeerAnswer.Of(context)?.IsFrom(chosen.Head);
        await StoredResponder.ServeAsync(context, in chosen, now, StaleStatus.Of(services.Name, chosen.Head, errorStatus, now));
        return true;
    }

    /// <summary>A second look into the store, after another fill has ended: what answers the request as it is.</summary>
    internal StoredResponse? FindFresh(HttpContext context, Lookup lookup, DateTimeOffset now) =>
        services.Memory.Find(lookup.Key) is { } resource
        && StoredSelection.Select(services.Memory, resource, lookup.Policy, context.Request.Headers, now) is { Head: var head } stored
        && Reuse.Decide(head, lookup.Directives, lookup.HasAuthorization, now) == ReuseDecision.Fresh
        && StoredSelection.HasWhatIsAskedFor(stored, head, context.Request, now)
            ? stored
            : null;

    /// <summary>From memory, if that answers the request as it is by now.</summary>
    internal async Task<bool> TryServeStoredAsync(HttpContext context, Lookup lookup)
    {
        var now = services.Time.GetUtcNow();
        if (FindFresh(context, lookup, now) is not { } stored || !TryTake(context, lookup, stored, stored.Head, out var chosen))
        {
            return false;
        }

        services.Memory.Touch(stored);
        services.Serving(context, CacheOutcome.Hit);
        PeerAnswer.Of(context)?.IsFrom(chosen.Head);
        await StoredResponder.ServeAsync(context, in chosen, now, services.HitStatus(chosen.Head, now));
        return true;
    }

    private bool TryTake(HttpContext context, Lookup lookup, StoredResponse stored, StoredHead head, out Representation chosen) =>
        services.Codings.TryTake(stored, head, lookup.Policy, context.Request.Headers, PeerAnswer.Of(context) is not null, out chosen);

    /// <summary>By a request of its own.</summary>
    internal Task ForwardAloneAsync(HttpContext context, Lookup lookup, string? detail) =>
        direct.ForwardAsync(
            context, lookup.Route, lookup.Policy, lookup,
            new DirectPlan(lookup.ForwardReason, detail, MayStore: HttpMethods.IsGet(context.Request.Method)));
}

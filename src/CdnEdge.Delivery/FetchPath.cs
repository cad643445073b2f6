using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Forwarding;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;

namespace CdnEdge.Delivery;

/// <summary>
/// The way of a request past the hit: join the fill under way or start one, and answer from what it brings; what may not
/// be shared is forwarded alone.
/// </summary>
internal sealed class FetchPath(CacheServices services, FillRunner runner, DirectForwarder direct)
{
    /// <summary>A waiting client that can't share what it waited for tries again this often, then asks on its own.</summary>
    private const int MaxFillsJoined = 3;

    /// <summary>
    /// Past the hit: what is asked for has to come from upstream or the second tier, through a fill where it can be shared. False:
    /// nothing has been answered, look into memory once more.
    /// </summary>
    internal async Task<bool> TryFetchAsync(HttpContext context, Lookup lookup)
    {
        if (!lookup.Directives.OnlyIfCached && MayCollapse(context, lookup))
        {
            return await TryFillAsync(context, lookup);
        }

        if (MayAskTier(context, lookup))
        {
            return await TryTierAloneAsync(context, lookup);
        }

        if (lookup.Directives.OnlyIfCached)
        {
            services.Serving(context, CacheOutcome.Error);
            await ErrorResponder.WriteAsync(
                context,
                StatusCodes.Status504GatewayTimeout,
                "the request is only-if-cached, and nothing stored may answer it.",
                new CacheStatus { Detail = "only-if-cached" }.Format(services.Name));
        }
        else
        {
            await ForwardAloneAsync(context, lookup, null);
        }

        return true;
    }

    private async Task<bool> TryFillAsync(HttpContext context, Lookup lookup)
    {
        var known = KnownVariance(lookup);
        for (var joined = 0; joined < MaxFillsJoined; joined++)
        {
            var key = lookup.FillKeyFor(known, context.Request.Headers);
            if (services.Markers.IsMarked(key))
            {
                break;
            }

            var fill = services.Fills.GetOrAdd(key, services.Epochs, out var started);
            using var reader = fill.Attach();
            if (started && FindFresh(context, lookup, services.Time.GetUtcNow()) is not null)
            {
                // Another fill ended between the look into the store and here: one request upstream was enough.
                services.Fills.Remove(fill);
                fill.GiveWay();
                if (await TryServeStoredAsync(context, lookup))
                {
                    return true;
                }

                continue;
            }

            if (started)
            {
                runner.Start(fill, PlanFor(lookup, lookup.IsAgain ? TierUse.FreshOnly : TierUse.Any), context, lookup.Route, lookup.Policy);

                // The fill has the route's timeout: when it has elapsed, this client may still get something stale.
                context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
            }

            if (reader is null)
            {
                // It has just ended: what it brought is in the store, if anything is.
                if (await TryServeStoredAsync(context, lookup))
                {
                    return true;
                }

                continue;
            }

            var head = await AwaitHeadAsync(context, fill);
            if (head.Result == FillResult.Superseded)
            {
                if (await TryServeStoredAsync(context, lookup))
                {
                    return true;
                }

                if (!lookup.IsAgain)
                {
                    return false;
                }

                continue;
            }

            if (started || head.Result == FillResult.Failure)
            {
                await AnswerAsync(context, lookup, fill, reader, head, collapsed: !started);
                return true;
            }

            // What the origin's error can't answer something stale may, for those who waited as for the first.
            if (CacheableStatus.IsOriginError(head.Status) && await TryServeStaleAsync(context, lookup, head.Status))
            {
                return true;
            }

            if (services.IsPurged(lookup.Key, head.Stored, fill.Epoch))
            {
                // Purged since it began: the next look into the table begins another.
                continue;
            }

            if (MayShare(context, lookup, head))
            {
                await AnswerAsync(context, lookup, fill, reader, head, collapsed: true);
                return true;
            }

            // Another variant: now it's known what the URL varies by. Anything else can't be shared at all.
            if (head.Stored is null || head.Stored.Variance.Matches(lookup.Policy, context.Request.Headers))
            {
                break;
            }

            known = head.Stored.Variance;
        }

        await ForwardAloneAsync(context, lookup, "uncollapsed");
        return true;
    }

    /// <summary>
    /// What mustn't start a fetch for others (a HEAD, a range, only-if-cached) may well have what another node fetched. False:
    /// there was nothing to answer with, but memory may hold something by now.
    /// </summary>
    private async Task<bool> TryTierAloneAsync(HttpContext context, Lookup lookup)
    {
        var key = lookup.FillKeyFor(KnownVariance(lookup), context.Request.Headers);
        var fill = services.Fills.GetOrAdd(key, services.Epochs, out var started, ofTierOnly: true);
        using var reader = fill.Attach();
        if (started)
        {
            runner.Start(fill, PlanFor(lookup, TierUse.NothingElse), context, lookup.Route, lookup.Policy);
        }

        if (reader is null || !fill.IsOfTierOnly)
        {
            return false;
        }

        var head = await AwaitHeadAsync(context, fill);
        if (head.Result != FillResult.Response || services.IsPurged(lookup.Key, head.Stored, fill.Epoch) || !MayShare(context, lookup, head))
        {
            return false;
        }

        await AnswerAsync(context, lookup, fill, reader, head, collapsed: !started);
        return true;
    }

    private static FillPlan PlanFor(Lookup lookup, TierUse tier) =>
        FillPlan.For(lookup.Stored) with { Tier = tier, Directives = lookup.Directives };

    /// <summary>What the URL varies by, as far as memory tells.</summary>
    private static Variance? KnownVariance(Lookup lookup) =>
        lookup.Stored?.Head.Variance ?? (lookup.Resource is { Variants: [var newest, ..] } ? newest.Head.Variance : null);

    private bool MayAskTier(HttpContext context, Lookup lookup) =>
        !lookup.IsAgain
        && !lookup.HasAuthorization
        && services.UsableTier is not null
        && !services.Markers.IsMarked(lookup.FillKeyFor(KnownVariance(lookup), context.Request.Headers));

    /// <summary>Requests whose answer may be another's too.</summary>
    private bool MayCollapse(HttpContext context, Lookup lookup)
    {
        if (!HttpMethods.IsGet(context.Request.Method) || lookup.HasAuthorization)
        {
            return false;
        }

        if (context.Request.Headers.Range.Count == 0)
        {
            return true;
        }

        // A range is asked for as it is, not made of the whole, which may be a thousand times larger. But a whole that's
        // coming anyway will have it.
        return lookup.Stored is null or { Body: not PartialBody }
            && (lookup.Stored is not null
                || services.Fills.Find(lookup.FillKeyFor(null, context.Request.Headers)) is { Head.Stored: not null });
    }

    private static async Task<FillHead> AwaitHeadAsync(HttpContext context, Fill fill)
    {
        Http1InterimWriter? writer = null;
        var passed = 0;
        while (true)
        {
            var version = fill.Version;
            foreach (var (status, fields) in fill.InterimsFrom(passed))
            {
                passed++;
                writer ??= Http1InterimWriter.TryCreate(context);
                if (writer is not null)
                {
                    await writer.TryWriteAsync(status, fields, context.RequestAborted);
                }
            }

            if (fill.Head is { } head)
            {
                return head;
            }

            await fill.ChangedAsync(version).WaitAsync(context.RequestAborted);
        }
    }

    /// <summary>Whether a client that only waited may have the answer too (RFC 9111 §4, collapsed requests).</summary>
    private bool MayShare(HttpContext context, Lookup lookup, FillHead head) =>
        head.Stored is { } stored
        && stored.Variance.Matches(lookup.Policy, context.Request.Headers)
        && Reuse.Decide(stored, lookup.Directives, lookup.HasAuthorization, services.Time.GetUtcNow())
            is ReuseDecision.Fresh or ReuseDecision.StaleWhileRevalidate or ReuseDecision.MaxStale;

    private async Task AnswerAsync(HttpContext context, Lookup lookup, Fill fill, FillReader reader, FillHead head, bool collapsed)
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

            await ErrorResponder.WriteFailureAsync(context, failure, services.Name, (status with { Detail = failure.Error }).Format(services.Name));
            return;
        }

        if (head.IsFromTier)
        {
            var now = services.Time.GetUtcNow();
            services.Serving(context, CacheOutcome.Hit);
            await FillAnswer.WriteAsync(context, fill, reader, head, collapsed: true, now, services.HitStatus(head.Stored!, now, "redis"));
            return;
        }

        services.Serving(context, CacheOutcome.Miss);
        status = status with
        {
            ForwardStatus = head.Status,
            Stored = head.Stored is not null ? true : null,
            Detail = head.Reason == NoStoreReason.None ? null : CacheMetrics.NameOf(head.Reason),
        };
        await FillAnswer.WriteAsync(context, fill, reader, head, collapsed, services.Time.GetUtcNow(), status.Format(services.Name));
    }

    private async Task AnswerValidatedAsync(HttpContext context, Lookup lookup, FillHead head, bool collapsed)
    {
        if (!head.Validated!.TryAcquireBody())
        {
            // Evicted in this very moment: its bytes are gone, so ask for them.
            await ForwardAloneAsync(context, lookup, "evicted");
            return;
        }

        services.Memory.Touch(head.Validated);
        services.Serving(context, CacheOutcome.Revalidated);
        var now = services.Time.GetUtcNow();
        var status = new CacheStatus
        {
            Forward = lookup.ForwardReason,
            ForwardStatus = StatusCodes.Status304NotModified,
            Ttl = (long)Math.Floor(head.Stored!.Freshness.Remaining(now).TotalSeconds),
            Collapsed = collapsed,
        };
        await StoredResponder.ServeAsync(context, head.Stored, head.Validated.Body, now, status.Format(services.Name));
    }

    /// <summary>
    /// RFC 9111 §4.2.4, RFC 5861 §4: the stale response in place of an error, where that's allowed.
    /// <paramref name="errorStatus"/> null: no response came at all.
    /// </summary>
    private async Task<bool> TryServeStaleAsync(HttpContext context, Lookup lookup, int? errorStatus)
    {
        var now = services.Time.GetUtcNow();
        if (lookup.Stored is not { } stored
            || !services.Memory.Survives(stored, now)
            || !StoredSelection.HasWhatIsAskedFor(stored, stored.Head, context.Request, now)
            || !Reuse.MayServeOnError(stored.Head, lookup.Directives, disconnected: errorStatus is null, now)
            || !stored.TryAcquireBody())
        {
            return false;
        }

        services.Memory.Touch(stored);
        services.Serving(context, CacheOutcome.Stale);
        var staleHead = stored.Head;
        await StoredResponder.ServeAsync(
            context, staleHead, stored.Body, now, StaleStatus.Of(services.Name, staleHead, errorStatus, now));
        return true;
    }

    /// <summary>A second look into the store, after another fill has ended: what answers the request as it is.</summary>
    private StoredResponse? FindFresh(HttpContext context, Lookup lookup, DateTimeOffset now) =>
        services.Memory.Find(lookup.Key) is { } resource
        && StoredSelection.Select(services.Memory, resource, lookup.Policy, context.Request.Headers, now) is { Head: var head } stored
        && Reuse.Decide(head, lookup.Directives, lookup.HasAuthorization, now) == ReuseDecision.Fresh
        && StoredSelection.HasWhatIsAskedFor(stored, head, context.Request, now)
            ? stored
            : null;

    private async Task<bool> TryServeStoredAsync(HttpContext context, Lookup lookup)
    {
        var now = services.Time.GetUtcNow();
        if (FindFresh(context, lookup, now) is not { } stored || !stored.TryAcquireBody())
        {
            return false;
        }

        services.Memory.Touch(stored);
        services.Serving(context, CacheOutcome.Hit);
        var head = stored.Head;
        await StoredResponder.ServeAsync(context, head, stored.Body, now, services.HitStatus(head, now));
        return true;
    }

    private Task ForwardAloneAsync(HttpContext context, Lookup lookup, string? detail) =>
        direct.ForwardAsync(
            context, lookup.Route, lookup.Policy, lookup,
            new DirectPlan(lookup.ForwardReason, detail, MayStore: HttpMethods.IsGet(context.Request.Method)));
}

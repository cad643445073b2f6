using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;

namespace CdnEdge.Delivery;

/// <summary>
/// The way of a request past the hit: join the fill under way or start one; what may not be shared is forwarded alone. How it's
/// answered then is <see cref="FetchAnswers"/>'s.
/// </summary>
internal sealed class FetchPath(CacheServices services, FillRunner runner, FetchAnswers answers)
{
    /// <summary>A waiting client that can't share what it waited for tries again this often, then asks on its own.</summary>
    private const int MaxFillsJoined = 3;

    /// <summary>
    /// Past the hit: what is asked for has to come from upstream or the second tier, through a fill where it can be shared. False:
    /// nothing has been answered, look into memory once more.
    /// </summary>
    internal async Task<bool> TryFetchAsync(HttpContext context, Lookup lookup)
    {
        if (lookup.Stored is not null && !lookup.Directives.OnlyIfCached && await TryServeWhileDownAsync(context, lookup))
        {
            return true;
        }

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
            await answers.ForwardAloneAsync(context, lookup, null);
        }

        return true;
    }

    /// <summary>
    /// Nobody answers on the way upstream, or somebody has just begun to: what is stale and may stand in for an error does at once, and
    /// few requests try on. A client needn't wait to learn what is known, and those who come back needn't be run over.
    /// </summary>
    private async Task<bool> TryServeWhileDownAsync(HttpContext context, Lookup lookup)
    {
        if (services.WayOf(lookup.Route) is not { IsImpaired: true } way)
        {
            return false;
        }

        var stored = lookup.Stored!;
        var seen = stored.Head;
        if (!await answers.TryServeStaleAsync(context, lookup, errorStatus: null))
        {
            return false;
        }

        if (way.MayRevalidate())
        {
            runner.RevalidateInBackground(context, lookup.Route, lookup.Policy, stored, seen);
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
            if (started && answers.FindFresh(context, lookup, services.Time.GetUtcNow()) is not null)
            {
                // Another fill ended between the look into the store and here: one request upstream was enough.
                services.Fills.Remove(fill);
                fill.GiveWay();
                if (await answers.TryServeStoredAsync(context, lookup))
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
                if (await answers.TryServeStoredAsync(context, lookup))
                {
                    return true;
                }

                continue;
            }

            var head = await AwaitHeadAsync(context, fill);
            if (head.Result == FillResult.Superseded)
            {
                if (await answers.TryServeStoredAsync(context, lookup))
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
                await answers.AnswerAsync(context, lookup, fill, reader, head, collapsed: !started);
                return true;
            }

            // What the origin's error can't answer something stale may, for those who waited as for the first.
            if (CacheableStatus.IsOriginError(head.Status) && await answers.TryServeStaleAsync(context, lookup, head.Status))
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
                await answers.AnswerAsync(context, lookup, fill, reader, head, collapsed: true);
                return true;
            }

            // Another variant: now it's known what the URL varies by. Anything else can't be shared at all.
            if (head.Stored is null || head.Stored.Variance.Matches(lookup.Policy, context.Request.Headers))
            {
                break;
            }

            known = head.Stored.Variance;
        }

        await answers.ForwardAloneAsync(context, lookup, "uncollapsed");
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

        await answers.AnswerAsync(context, lookup, fill, reader, head, collapsed: !started);
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
}

using CdnEdge.Caching;
using CdnEdge.Delivery.Admission;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Forwarding;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Routing;
using CdnEdge.Delivery.Serving;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>
/// The way of a request: guard, bypass?, key, look up, then hit -> deliver, or miss -> fill -> deliver.
/// </summary>
internal sealed class CacheEndpoint(
    CacheServices services,
    FillRunner runner,
    DirectForwarder direct,
    FetchPath fetch,
    FetchAnswers answers,
    RequestGuard guard,
    ForwardGuard forward,
    PeerGuard peers,
    IFetchGate? gate = null)
{
    /// <summary>Up to the hit. Neither waits nor allocates where the answer is in memory.</summary>
    internal Task InvokeAsync(HttpContext context, CachedRoute route)
    {
        PeerAnswer? peer = null;
        if ((peers.IsEnabled ? peers.Refuse(context, out peer) : null) is { } notOurs)
        {
            return guard.AnswerAsync(context, notOurs);
        }

        if (guard.Refuse(context, nodesBefore: peer?.Request.Path.Count ?? 0) is { } refusal)
        {
            return guard.AnswerAsync(context, refusal);
        }

        var policy = services.PolicyOf(context, route);
        var bypass = RequestBypass.Decide(context, policy);
        if (bypass != BypassReason.None)
        {
            return ForwardPastCacheAsync(context, route, policy, bypass);
        }

        var headers = context.Request.Headers;
        if (headers.Connection.Count > 0)
        {
            // What the origin won't see must not choose among variants.
            ConnectionOptions.RemoveNominated(headers);
        }

        var directives = policy.HonourRequestDirectives ? RequestDirectives.Parse(headers) : peer is null ? default : PeerDirectives(headers);
        if (directives.NoStore)
        {
            return ForwardPastCacheAsync(context, route, policy, BypassReason.RequestNoStore);
        }

        return LookUp(context, route, policy, directives, peer, isAgain: false);
    }

    /// <summary>Another node that asks for nothing but what is stored means it, whatever visitors may say.</summary>
    private static RequestDirectives PeerDirectives(IHeaderDictionary headers) =>
        new() { OnlyIfCached = RequestDirectives.Parse(headers).OnlyIfCached };

    /// <summary>Key, look up and answer. Where the way past the hit has brought something into memory, once more.</summary>
    private Task LookUp(HttpContext context, CachedRoute route, CachePolicy policy, RequestDirectives directives, PeerAnswer? peer, bool isAgain)
    {
        var headers = context.Request.Headers;
        var parts = services.KeyPartsOf(context);
        Span<byte> scratch = stackalloc byte[512];
        var composer = KeyComposer.Compose(policy, parts.Host, PathString.Empty, parts.Path, parts.Query, scratch);
        try
        {
            var resource = services.Memory.Find(in composer);
            var now = services.Time.GetUtcNow();
            var stored = resource is null ? null : StoredSelection.Select(services.Memory, resource, policy, headers, now);
            var hasAuthorization = headers.Authorization.Count > 0;
            if (stored is null)
            {
                return FetchAsync(context, new Lookup(route, policy, composer.ToKey(), directives, hasAuthorization, resource, null) { IsAgain = isAgain });
            }

            var head = stored.Head;
            var decision = Reuse.Decide(head, in directives, hasAuthorization, now);
            if (decision is ReuseDecision.Fresh or ReuseDecision.MaxStale or ReuseDecision.StaleWhileRevalidate
                && StoredSelection.HasWhatIsAskedFor(stored, head, context.Request, now)
                && services.Codings.TryTake(stored, head, policy, headers, asStored: peer is not null, out var chosen))
            {
                services.Memory.Touch(stored);
                if (decision == ReuseDecision.StaleWhileRevalidate && forward.PrepareKeyed(context, route, policy) is null)
                {
                    runner.RevalidateInBackground(context, route, policy, stored, head);
                }

                peer?.IsFrom(head);
                services.Serving(context, decision == ReuseDecision.Fresh ? CacheOutcome.Hit : CacheOutcome.Stale);
                return StoredResponder.ServeAsync(context, in chosen, now, services.HitStatus(head, now));
            }

            return FetchAsync(context, new Lookup(
                route,
                policy,
                resource!.Key,
                directives,
                hasAuthorization,
                resource,
                decision == ReuseDecision.Unusable ? null : stored)
            {
                IsAgain = isAgain,
                IsFreshAnyway = head.Freshness.Remaining(now) > TimeSpan.Zero && !head.AlwaysRevalidate,
            });
        }
        finally
        {
            composer.Dispose();
        }
    }

    private async Task FetchAsync(HttpContext context, Lookup lookup)
    {
        if (forward.PrepareKeyed(context, lookup.Route, lookup.Policy) is { } refusal)
        {
            await guard.AnswerAsync(context, refusal);
            return;
        }

        if (IsThereAfterAll(context, lookup))
        {
            await LookUpAgain(context, lookup);
            return;
        }

        // Who looks again has passed the gate before, and what it waited for has come.
        if (!lookup.IsAgain && gate?.TryEnter(context, lookup.Route.Priority) is { } full)
        {
            if (!full.IsOverload || lookup.Stored is null || !await answers.TryServeStaleAsync(context, lookup, errorStatus: null))
            {
                await RefuseAsync(context, full);
            }

            return;
        }

        bool isAnswered;
        try
        {
            isAnswered = await fetch.TryFetchAsync(context, lookup);
        }
        finally
        {
            if (!lookup.IsAgain)
            {
                gate?.Leave();
            }
        }

        if (!isAnswered)
        {
            await LookUpAgain(context, lookup);
        }
    }

    private Task LookUpAgain(HttpContext context, Lookup lookup) =>
        LookUp(context, lookup.Route, lookup.Policy, lookup.Directives, PeerAnswer.Of(context), isAgain: true);

    private Task RefuseAsync(HttpContext context, FetchRefusal refusal)
    {
        services.Serving(context, CacheOutcome.Error);
        return ErrorResponder.WriteNotNowAsync(context, refusal.StatusCode, refusal.Reason, refusal.RetryAfter, new CacheStatus { Detail = refusal.Detail }.Format(services.Name));
    }

    /// <summary>Of a URL that varies by what a client only claimed, something was stored for the request as the origin would have seen it.</summary>
    private bool IsThereAfterAll(HttpContext context, Lookup lookup) =>
        lookup is { Stored: null, IsAgain: false, Resource: { Variants.Length: > 0 } resource }
        && StoredSelection.Select(services.Memory, resource, lookup.Policy, context.Request.Headers, services.Time.GetUtcNow()) is not null;

    private async Task ForwardPastCacheAsync(HttpContext context, CachedRoute route, CachePolicy policy, BypassReason reason)
    {
        if (FinalRecipient.IsEdge(context))
        {
            services.Serving(context, CacheOutcome.Bypass);
            await FinalRecipient.AnswerAsync(context, services.Name);
            return;
        }

        if ((forward.Prepare(context, route, policy) ?? await RequestGuard.RefuseBodyAsync(context, route.Model.Config)) is { } refusal)
        {
            await guard.AnswerAsync(context, refusal);
            return;
        }

        if (gate?.TryEnter(context, route.Priority) is { } full)
        {
            await RefuseAsync(context, full);
            return;
        }

        // A POST's answer may be stored for later GETs (RFC 9110 §9.3.3); whether it is, its own head says.
        var mayStore = reason == BypassReason.Method && HttpMethods.IsPost(context.Request.Method) && policy.Enabled;
        var plan = new DirectPlan(
            reason == BypassReason.Method ? ForwardReason.Method : ForwardReason.Bypass,
            reason == BypassReason.Method ? null : CacheMetrics.NameOf(reason),
            mayStore);
        try
        {
            await direct.ForwardAsync(context, route, policy, lookup: null, plan);
        }
        finally
        {
            gate?.Leave();
        }
    }
}

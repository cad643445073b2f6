using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Forwarding;

/// <summary>One request forwarded on its own: what the cache does with the answer as it passes.</summary>
internal sealed class DirectExchange(CacheServices services, HttpContext context, CachePolicy policy, Lookup? lookup, DirectPlan plan)
    : IDisposable
{
    private readonly DateTimeOffset _requestTime = services.Time.GetUtcNow();
    private long _epoch = services.Epochs.Now;
    private readonly long _maxObjectBytes = services.MaxObjectBytesOf(policy);
    private readonly PassingCodings _codings = new(services, context, policy);

    private StoredHead? _head;
    private GrowingBody? _copy;
    private CacheKey? _key = lookup?.Key;
    private StoredResponse? _standIn;
    private bool _isStandInChosen;

    /// <summary>What of the client's conditions went upstream in other words; null: nothing.</summary>
    internal ForwardedConditions? Conditions { get; init; }

    /// <summary>The response that starts is the edge's own error, not upstream's answer.</summary>
    internal bool IsAnsweredByEdge { get; set; }

    /// <summary>Where another node answered: how long before this request it had asked the origin.</summary>
    private TimeSpan FetchedBefore => UpstreamCall.FetchedBefore(context, _requestTime);

    private CacheKey Key => _key ??= RequestKey(policy);

    /// <summary>
    /// What stands in for upstream's answer, which is an error that something stale is to be served for (RFC 5861 §4) and
    /// is held back; null if there's no such thing. Decided once, before the response starts. The exchange holds a
    /// reference on its body until <see cref="TakeStandIn"/>.
    /// </summary>
    internal StoredResponse? StandIn
    {
        get
        {
            if (!_isStandInChosen)
            {
                _isStandInChosen = true;
                _standIn = ChooseStandIn();
            }

            return _standIn;
        }
    }

    /// <summary>Passes interim responses on; null where the client can't have any.</summary>
    internal Http1InterimWriter? Interims { get; } = Http1InterimWriter.TryCreate(context);

    /// <summary>The answer's head is complete and about to be sent.</summary>
    internal async Task OnStartingAsync()
    {
        if (Interims is not null)
        {
            await Interims.CloseAsync();
        }

        if (!IsAnsweredByEdge)
        {
            OnHead();
        }
    }

    private void OnHead()
    {
        var method = context.Request.Method;
        var response = context.Response;
        if (context.Features.Get<UpstreamCall>() is { FetchedAt: { } fetchedAt })
        {
            // Another node has had it for a while: what was purged here since then may be in it.
            _epoch = Math.Min(_epoch, services.MomentAt(fetchedAt));
        }

        if (Invalidation.IsDue(method, response.StatusCode))
        {
            InvalidateTargets(response);
        }

        if (response.StatusCode == StatusCodes.Status304NotModified)
        {
            Conditions?.NameForClient(response.Headers);
            if (lookup?.Stored is { } validated)
            {
                _codings.Name(validated.Head, validated.Body?.Length);
            }
        }

        var reason = plan.MayStore ? BeginCopy(response) : NoStoreReason.None;
        if (HttpMethods.IsHead(method) && response.StatusCode == StatusCodes.Status200OK && lookup is not null)
        {
            AnswerHead(response, lookup.Stored);
        }
        else if (_head is not null)
        {
            _codings.Name(_head, response.ContentLength);
        }

        ClientFields.Prepare(context, response.Headers, policy, isStored: _head is not null);
        PeerAnswer.Of(context)?.IsFrom(_head, FetchedBefore);

        var status = new CacheStatus
        {
            Forward = plan.Forward,
            ForwardStatus = response.StatusCode,
            Stored = _head is not null ? true : null,
            Detail = reason is NoStoreReason.None or NoStoreReason.Method ? plan.Detail : CacheMetrics.NameOf(reason),
        };
        ResponseHead.AppendCacheStatus(response.Headers, status.Format(services.Name));
        services.Serving(context, plan.Forward is ForwardReason.Bypass or ForwardReason.Method ? CacheOutcome.Bypass : CacheOutcome.Miss);
    }

    /// <summary>A piece of the body has passed to the client.</summary>
    internal void Copy(ReadOnlySpan<byte> bytes)
    {
        if (_copy is null || bytes.IsEmpty)
        {
            return;
        }

        if (_copy.Length + bytes.Length > _maxObjectBytes)
        {
            DropCopy();
            services.NotStored(Key, NoStoreReason.TooLarge);
            return;
        }

        _copy.Append(bytes);
        if (_copy.Length == context.Response.ContentLength)
        {
            Store();
        }
    }

    /// <summary>The answer has passed whole: stores the copy.</summary>
    internal async Task CompleteAsync()
    {
        if (!plan.MayStore || IsAnsweredByEdge)
        {
            return;
        }

        // A bodiless answer's head hasn't been looked at before it starts.
        await StartAsync(context.RequestAborted);
        Store();
    }

    /// <summary>Starts the response if it hasn't: <see cref="OnStartingAsync"/> looks at its head then.</summary>
    internal Task StartAsync(CancellationToken cancellation) =>
        context.Response.HasStarted ? Task.CompletedTask : context.Response.StartAsync(cancellation);

    private void Store()
    {
        if (_head is null)
        {
            return;
        }

        var head = _head;
        var copy = _copy;
        (_head, _copy) = (null, null);
        copy?.Seal();
        if (copy is not null && head.Status != StatusCodes.Status206PartialContent
            && context.Response.ContentLength is { } promised && promised != copy.Length)
        {
            copy.Release();
            services.NotStored(Key, NoStoreReason.Incomplete);
            return;
        }

        if (head.Status == StatusCodes.Status206PartialContent)
        {
            StorePart(head, copy);
        }
        else
        {
            StoreAndShare(new StoredResponse(head, copy, _epoch));
        }
    }

    private void StoreAndShare(StoredResponse response)
    {
        if (services.Store(Key, response, policy, _codings.Visitor) == NoStoreReason.None)
        {
            services.Share(Key, response, policy, context.Request.Headers);
        }
    }

    /// <summary>Hands over <see cref="StandIn"/> with the reference on its body.</summary>
    internal StoredResponse? TakeStandIn()
    {
        var taken = StandIn;
        _standIn = null;
        return taken;
    }

    public void Dispose()
    {
        DropCopy();
        _standIn?.Body?.Release();
        _standIn = null;
    }

    private StoredResponse? ChooseStandIn() =>
        !context.Response.HasStarted
        && CacheableStatus.IsOriginError(context.Response.StatusCode)
        && lookup?.Stored is { } stored
        && services.Memory.Survives(stored, services.Time.GetUtcNow())
        && StoredSelection.HasWhatIsAskedFor(stored, stored.Head, context.Request, services.Time.GetUtcNow())
        && Reuse.MayServeOnError(stored.Head, lookup.Directives, disconnected: false, services.Time.GetUtcNow())
        && (stored.Body is null || stored.Body.TryAcquire())
            ? stored
            : null;

    private void DropCopy()
    {
        _copy?.Release();
        _copy = null;
        _head = null;
    }

    private NoStoreReason BeginCopy(HttpResponse response)
    {
        // With trailers for a client of HTTP/1.1: what passes here is framed already.
        var objection = response.Headers.TransferEncoding.Count > 0 ? NoStoreReason.Stream : NoStoreReason.None;
        (_head, var reason) = Judge(response, objection);
        if (_head is null)
        {
            services.NotStored(Key, reason);
            return reason;
        }

        if (response.StatusCode != StatusCodes.Status204NoContent && response.ContentLength != 0)
        {
            _copy = GrowingBody.Create(services.Memory.Arena, response.ContentLength);
        }

        return NoStoreReason.None;
    }

    private void StorePart(StoredHead head, GrowingBody? copy)
    {
        if (copy is null
            || !ContentRange.TryParse(context.Response.Headers.ContentRange, out var contentRange)
            || PartStore.Locate(contentRange, copy.Length) is not var (range, completeLength))
        {
            copy?.Release();
            services.NotStored(Key, NoStoreReason.PartialUnusable);
            return;
        }

        using var combining = services.Combining.EnterScope();

        // Not what the look-up found: parts that were asked for at the same time have come since, or the whole has.
        var stored = services.Memory.Find(Key) is { } resource ? StoredSelection.Select(services.Memory, resource, policy, context.Request.Headers, services.Time.GetUtcNow()) : null;
        if (stored is { Body: not (null or PartialBody { IsComplete: false }), Head: var whole }
            && Reuse.Decide(whole, default, hasAuthorization: false, services.Time.GetUtcNow()) == ReuseDecision.Fresh
            && !whole.IsContradictedBy(context.Response.Headers))
        {
            copy.Release();
            services.NotStored(Key, NoStoreReason.PartialUnusable);
            return;
        }

        var body = PartStore.Combine(stored, context.Response.Headers, range, completeLength, copy);

        // Parts together are as old as the oldest of them.
        var epoch = _epoch;
        if (stored is { Body: PartialBody })
        {
            epoch = Math.Min(epoch, stored.Epoch);
            head = head.FetchedWith(stored.Head);
        }

        StoreAndShare(new StoredResponse(body.IsComplete ? head.AsComplete() : head, body, epoch));
    }

    /// <summary>RFC 9111 §4.3.5: a HEAD's answer freshens what is stored, or shows that it's outdated.</summary>
    private void AnswerHead(HttpResponse response, StoredResponse? stored)
    {
        if (stored is not null
            && stored.Head.AgreesWithHead(response.Headers, stored.Body?.Length ?? 0)
            && stored.Head.Freshen(response.Headers, policy, _requestTime, services.Time.GetUtcNow(), FetchedBefore) is { MustBeDropped: false } freshened)
        {
            services.Memory.UpdateHead(stored, freshened, _epoch);
            _codings.NameChosen(stored, freshened);
            return;
        }

        if (stored is not null)
        {
            services.RemoveOutdated(stored);
        }

        if (policy.Compression.Plan.IsEnabled && Judge(response, NoStoreReason.None, HttpMethods.Get).Head is { } asGet)
        {
            _codings.Name(asGet, response.ContentLength);
        }
    }

    private ResponseJudgement Judge(HttpResponse response, NoStoreReason objection, string? method = null) => ResponseJudgement.Of(
        services, Key, context.Request, response.StatusCode, response.Headers, policy, _requestTime, services.Time.GetUtcNow(), objection, FetchedBefore, method);

    private void InvalidateTargets(HttpResponse response)
    {
        var target = RequestTarget.Of(context.Request);
        var overtaken = services.IsPurged(Key, null, _epoch);
        var epoch = services.Invalidate(Key);
        var invalidated = new HashSet<CacheKey> { Key };
        var targets = Invalidation.Targets(target, response.Headers);

        // By every policy's keys: the route of the GETs, or of what Location names, may have another than this one's. The
        // target is among them as a URI too; that key is another one only where a contributor changes the request's.
        foreach (var keying in services.Policies.All.Prepend(policy))
        {
            foreach (var key in targets.Select(uri => CacheKey.Of(keying, uri)).Prepend(RequestKey(keying)).Where(invalidated.Add))
            {
                services.Invalidate(key);
            }
        }

        foreach (var group in CacheGroups.Parse(response.Headers[CacheGroups.InvalidationField]))
        {
            services.InvalidateGroup(Key, group);
        }

        if (!overtaken)
        {
            // This answer is what came of the change, not what was before it: it may be stored. Its own epoch, not the
            // newest by now, which may be another change's.
            _epoch = epoch;
        }
    }

    private CacheKey RequestKey(CachePolicy keying)
    {
        var parts = services.KeyPartsOf(context);
        Span<byte> scratch = stackalloc byte[512];
        var composer = KeyComposer.Compose(keying, parts.Host, PathString.Empty, parts.Path, parts.Query, scratch);
        try
        {
            return composer.ToKey();
        }
        finally
        {
            composer.Dispose();
        }
    }
}

using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Interim;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>How one exchange of a fill with upstream ended.</summary>
internal enum ExchangeResult
{
    /// <summary>The fill has its answer (or its failure).</summary>
    Done,

    /// <summary>The answer to a conditional or partial request was of no use: ask for the whole.</summary>
    AskPlainly,

    /// <summary>The body broke off; its rest may be had (<see cref="BodyResumption"/>). The fill waits for <see cref="FillExchange.End"/>.</summary>
    BrokeOff,
}

/// <summary>One exchange of a fill with upstream: reads the answer's head, decides what becomes of it, takes its body.</summary>
/// <param name="services">What the parts of a request's way share.</param>
/// <param name="job">The fill.</param>
/// <param name="plan">What this exchange asks for: not always what the fill first wanted.</param>
internal sealed class FillExchange(CacheServices services, FillJob job, FillPlan plan) : IResponseSink, IInterimResponseSink, IDisposable
{
    private readonly Fill _fill = job.Fill;
    private readonly CachePolicy _policy = job.Policy;
    private readonly DateTimeOffset _requestTime = services.Time.GetUtcNow();
    private readonly long _maxObjectBytes = services.MaxObjectBytesOf(job.Policy);

    private GrowingBody? _body;
    private bool _isStored;
    private bool _bodyFollows;

    // Set where this exchange's answer is the part that completes those stored. A 200 in its place is another whole.
    private PartCompletion? _completion;

    // What this exchange's answer takes the place of though it isn't stored itself, unless it breaks off.
    private StoredResponse? _outdated;

    internal ExchangeResult Result { get; private set; }

    /// <summary>Where another node answered: how long before this exchange it had asked the origin.</summary>
    private TimeSpan FetchedBefore => UpstreamCall.FetchedBefore(Context, _requestTime);

    /// <summary>The context it runs in; set before the exchange begins.</summary>
    internal HttpContext Context { get; set; } = null!;

    public ValueTask OnInterimAsync(int status, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        _fill.AddInterim(status, fields);
        return ValueTask.CompletedTask;
    }

    public ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows)
    {
        _bodyFollows = bodyFollows;
        if (response.Headers.TryGetValue("Content-Length", out var length) && (length.Count != 1 || response.Headers.ContentLength is null))
        {
            // RFC 9112 §6.3: a length that can't be trusted makes the whole message so.
            services.Fills.Fail(_fill, ProxyStatus.AmbiguousLength);
            response.Abort();
            return ValueTask.CompletedTask;
        }

        if (Context.Features.Get<UpstreamCall>() is { FetchedAt: { } fetchedAt })
        {
            // Another node has had it for a while: what was purged here since then may be in it.
            _fill.Epoch = Math.Min(_fill.Epoch, services.MomentAt(fetchedAt));
        }

        var responseTime = services.Time.GetUtcNow();
        switch (plan.Kind)
        {
            case FillKind.Revalidate when response.StatusCode == StatusCodes.Status304NotModified:
                Confirm(plan.Stored!, response, responseTime);
                return ValueTask.CompletedTask;

            case FillKind.Complete when response.StatusCode != StatusCodes.Status200OK:
                if (!TryComplete(response, responseTime))
                {
                    Result = ExchangeResult.AskPlainly;
                    response.Abort();
                }

                return ValueTask.CompletedTask;

            default:
                Publish(response, response.StatusCode, response.Headers, responseTime);
                return ValueTask.CompletedTask;
        }
    }

    public ValueTask OnBodyAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (_body is null)
        {
            // A 304 or an answer given up has no use for its bytes; a bodiless status has none.
            return ValueTask.CompletedTask;
        }

        if (_completion is not null && !_completion.HasRoomFor(_body, bytes.Length))
        {
            // More than its Content-Range says: which of the bytes are the gap's can't be told.
            services.Fills.Fail(_fill, ProxyStatus.Incomplete);
            _fill.Cancel();
            return ValueTask.CompletedTask;
        }

        if (_fill.Head is { Stored: not null } head && _body.Length + bytes.Length > _maxObjectBytes)
        {
            // Of unknown length, and now it's known to be too much.
            StopStoring(head);
        }

        _fill.Append(bytes.Span);
        if (_fill.Head is { Stored: not null, ContentLength: { } promised } whole && _body.Length == promised)
        {
            // Its readers hear of the last byte when it's in the store: a client that has the whole finds it there.
            _body.Seal();
            Store(whole);
        }

        return _fill.PublishBytesAsync(Context.RequestAborted);
    }

    internal void OnFailure(ProxyStatus failure)
    {
        if (_fill.Head is null)
        {
            services.Fills.Fail(_fill, failure);
        }
    }

    /// <summary>After the exchange: completes the fill and stores, or fails it where the body broke off.</summary>
    internal ExchangeResult Finish(CapturedResponse response)
    {
        if (Result == ExchangeResult.AskPlainly)
        {
            return Result;
        }

        ProxyStatus? failure = response.IsAborted || _fill.Cancelled.IsCancellationRequested
            ? ProxyStatus.Of(Context) ?? ProxyStatus.Incomplete
            : null;
        if (failure is null && _body is not null)
        {
            _completion?.AppendBehind(_body);
        }

        if (failure is null && _fill.Head is { Result: FillResult.Response, ContentLength: { } promised } && _body is not null && _body.Length != promised)
        {
            failure = ProxyStatus.Incomplete;
        }

        if (failure is not null && IsResumable)
        {
            Result = ExchangeResult.BrokeOff;
            return Result;
        }

        End(_fill.Head is null ? failure ?? ProxyStatus.Incomplete : failure, response.Trailers);
        return Result;
    }

    /// <summary>Ends the fill: stores what has come whole, or fails it.</summary>
    /// <param name="failure">Why the body isn't whole; null: it is.</param>
    /// <param name="trailers">The trailer section; null: none.</param>
    internal void End(ProxyStatus? failure, IHeaderDictionary? trailers)
    {
        if (failure is { } cause)
        {
            services.NotStored(_fill.Key.Key, NoStoreReason.Incomplete);
            services.Fills.Fail(_fill, cause);
            if (plan.Stored is not null)
            {
                // What broke off says nothing of the resource: the next request is another try, and what is stored may
                // answer it if that fails too.
                services.Markers.Clear(_fill.Key);
            }

            return;
        }

        _body?.Seal();
        Store(_fill.Head!);
        RemoveOutdated();
        _fill.Complete(trailers is { Count: > 0 } ? trailers : null);
    }

    /// <summary>Readers have the beginning of a body, and what it's the beginning of has a name that tells it from all others.</summary>
    private bool IsResumable =>
        _body is { Length: > 0 }
        && _completion is null
        && !_fill.IsFailed
        && !_fill.Cancelled.IsCancellationRequested
        && _fill.Head is { Result: FillResult.Response } head
        && BodyResumption.ValidatorOf(head) is not null;

    /// <summary>The stored response is still good: freshen it (RFC 9111 §4.3.4).</summary>
    private void Confirm(StoredResponse stored, CapturedResponse response, DateTimeOffset responseTime)
    {
        var freshened = stored.Head.Freshen(response.Headers, _policy, _requestTime, responseTime, FetchedBefore);
        var still = !freshened.MustBeDropped && services.Memory.UpdateHead(stored, freshened, _fill.Epoch);
        if (freshened.MustBeDropped)
        {
            services.RemoveOutdated(stored);
        }
        else if (still)
        {
            services.Share(_fill.Key.Key, stored, _policy, Context.Request.Headers, job.TakeLease());
        }

        services.Fills.Remove(_fill);
        _fill.PublishHead(
            new FillHead
            {
                Result = FillResult.Validated,
                Status = freshened.Status,
                Stored = freshened,
                Validated = stored,
                Reason = still ? NoStoreReason.None : NoStoreReason.Invalidated,
            },
            body: null);
    }

    private bool TryComplete(CapturedResponse response, DateTimeOffset responseTime)
    {
        _completion = PartCompletion.TryBegin(plan.Stored!, plan.Missing, response.StatusCode, response.Headers);
        if (_completion is null)
        {
            return false;
        }

        var headers = _completion.FieldsOfWhole(response.Headers, _policy, _requestTime, responseTime);
        Publish(response, StatusCodes.Status200OK, headers, responseTime);
        return true;
    }

    public void Dispose()
    {
        _completion?.Dispose();
        _completion = null;
        if (_fill.Cancelled.IsCancellationRequested)
        {
            // Nobody waited for the body (in the background nobody does): the head was enough to know.
            RemoveOutdated();
        }
    }

    private void RemoveOutdated()
    {
        if (_outdated is { } outdated)
        {
            services.RemoveOutdated(outdated);
        }
    }

    private void Publish(CapturedResponse response, int status, IHeaderDictionary headers, DateTimeOffset responseTime)
    {
        // A fill asks for no part but the one that completes (which is a whole by now): this one is nobody's.
        var objection = status == StatusCodes.Status206PartialContent ? NoStoreReason.PartialUnusable : NoStoreReason.None;
        var (stored, reason) = ResponseJudgement.Of(
            services, _fill.Key.Key, Context.Request, status, headers, _policy, _requestTime, responseTime, objection, FetchedBefore);
        stored = _completion is null ? stored : stored?.FetchedWith(plan.Stored!.Head);

        var contentLength = headers.ContentLength;
        var mayHaveBody = status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified) && contentLength != 0;
        if (mayHaveBody)
        {
            _body = GrowingBody.Create(services.Memory.Arena, stored is null ? null : contentLength);
            _completion?.AppendBefore(_body);
        }

        ClientFields.Prepare(Context, headers, _policy, isStored: stored is not null);
        if (stored is null)
        {
            services.Fills.Remove(_fill);
            services.NotStored(_fill.Key.Key, reason);
            if (plan.Stored is null || !CacheableStatus.IsOriginError(status))
            {
                // An origin's error in place of a validation says nothing of the resource: the next request is another
                // try, and what is stored may answer it if that fails too.
                MarkUncacheable();
            }

            if (CacheableStatus.SpeaksOfResource(status))
            {
                _outdated = plan.Stored;
            }
        }
        else
        {
            services.Markers.Clear(_fill.Key);
        }

        var head = new FillHead
        {
            Result = FillResult.Response,
            Status = status,
            Headers = headers,
            Stored = stored,
            Reason = reason,
            ContentLength = contentLength,
            FetchedBefore = FetchedBefore,
            AnnouncesTrailers = response.AreAnnounced,
        };
        if (!mayHaveBody)
        {
            Store(head);
        }

        _fill.PublishHead(head, _body, quietly: _bodyFollows && _body is not null);
    }

    /// <summary>Here and on the other nodes: none of its requests waits for another.</summary>
    private void MarkUncacheable()
    {
        services.Markers.Mark(_fill.Key, _policy.UncacheableMarkerTtl);
        _ = job.TakeLease()?.MarkUncacheableAsync(_policy.UncacheableMarkerTtl).AsTask();
    }

    /// <summary>Nobody else may join, and those who come next needn't wait for each other.</summary>
    private void StopStoring(FillHead head)
    {
        MarkUncacheable();
        services.Fills.Remove(_fill);
        services.NotStored(_fill.Key.Key, NoStoreReason.TooLarge);
        _fill.StopStoring(head with { Stored = null, Reason = NoStoreReason.TooLarge });
    }

    /// <summary>
    /// Stores the answer and takes the fill out of the table, before anybody hears that it's whole: who asks after that finds it in the
    /// store and no fill to join, and so has what must be validated first (no-cache) validated.
    /// </summary>
    private void Store(FillHead head)
    {
        if (_isStored || head is { Result: FillResult.Validated })
        {
            return;
        }

        _isStored = true;
        PutInMemory(head);
        services.Fills.Remove(_fill);
    }

    private void PutInMemory(FillHead head)
    {
        if (head.Stored is null)
        {
            return;
        }

        if (head.Status >= StatusCodes.Status500InternalServerError
            && plan.Stored is { } stale
            && Reuse.MayServeOnError(stale.Head, default, disconnected: false, services.Time.GetUtcNow()))
        {
            // An error must not push out what may still be served in its place (RFC 5861 §4).
            services.NotStored(_fill.Key.Key, NoStoreReason.Status);
            return;
        }

        if (_body is not null && !_body.TryAcquire())
        {
            throw new InvalidOperationException("The fill's own reference on its body is gone before it was stored.");
        }

        // Completed parts are as old as the oldest of them.
        var epoch = _completion is null ? _fill.Epoch : Math.Min(_fill.Epoch, plan.Stored!.Epoch);
        var response = new StoredResponse(head.Stored, _body, epoch);
        if (services.Store(_fill.Key.Key, response, _policy, job.Request.VisitorHeaders) == NoStoreReason.None)
        {
            services.Share(_fill.Key.Key, response, _policy, Context.Request.Headers, job.TakeLease());
        }
    }
}

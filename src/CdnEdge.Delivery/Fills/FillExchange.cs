using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
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
}

/// <summary>One exchange of a fill with upstream: reads the answer's head, decides what becomes of it, takes its body.</summary>
internal sealed class FillExchange(
    CacheServices services,
    Fill fill,
    FillPlan plan,
    CachePolicy policy,
    DateTimeOffset requestTime) : IResponseSink, IInterimResponseSink, IDisposable
{
    private readonly long _maxObjectBytes = services.MaxObjectBytesOf(policy);

    private GrowingBody? _body;
    private bool _isStored;
    private bool _bodyFollows;

    // The stored parts that this exchange's 206 completes; held to the end, for those behind the gap come last.
    private PartialBody? _parts;

    // What this exchange's answer takes the place of though it isn't stored itself, unless it breaks off.
    private StoredResponse? _outdated;

    internal ExchangeResult Result { get; private set; }

    /// <summary>The context it runs in; set before the exchange begins.</summary>
    internal HttpContext Context { get; set; } = null!;

    public ValueTask OnInterimAsync(int status, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        fill.AddInterim(status, fields);
        return ValueTask.CompletedTask;
    }

    public ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows)
    {
        _bodyFollows = bodyFollows;
        if (response.Headers.TryGetValue("Content-Length", out var length) && (length.Count != 1 || response.Headers.ContentLength is null))
        {
            // RFC 9112 §6.3: a length that can't be trusted makes the whole message so.
            Fail(ProxyStatus.AmbiguousLength);
            response.Abort();
            return ValueTask.CompletedTask;
        }

        var responseTime = services.Time.GetUtcNow();
        switch (plan.Kind)
        {
            case FillKind.Revalidate when response.StatusCode == StatusCodes.Status304NotModified:
                Confirm(plan.Stored!, response, responseTime);
                return ValueTask.CompletedTask;

            case FillKind.Complete when response.StatusCode != StatusCodes.Status200OK:
                if (!TryComplete(plan.Stored!, response, responseTime))
                {
                    Result = ExchangeResult.AskPlainly;
                    response.Abort();
                }

                return ValueTask.CompletedTask;

            default:
                Publish(response, response.StatusCode, response.Headers, response.Headers.ContentLength, responseTime, prefix: null);
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

        if (_parts is not null && _body.Length + bytes.Length > plan.Missing.End)
        {
            // More than its Content-Range says: which of the bytes are the gap's can't be told.
            Fail(ProxyStatus.Incomplete);
            fill.Cancel();
            return ValueTask.CompletedTask;
        }

        if (fill.Head is { Stored: not null } head && _body.Length + bytes.Length > _maxObjectBytes)
        {
            // Of unknown length, and now it's known to be too much.
            StopStoring(head);
        }

        fill.Append(bytes.Span);
        if (fill.Head is { Stored: not null, ContentLength: { } promised } whole && _body.Length == promised)
        {
            // Its readers hear of the last byte when it's in the store: a client that has the whole finds it there.
            _body.Seal();
            Store(whole);
        }

        return fill.PublishBytesAsync(Context.RequestAborted);
    }

    internal void OnFailure(ProxyStatus failure)
    {
        if (fill.Head is null)
        {
            Fail(failure);
        }
    }

    /// <summary>After the exchange: completes the fill and stores, or fails it where the body broke off.</summary>
    internal ExchangeResult Finish(CapturedResponse response)
    {
        if (Result == ExchangeResult.AskPlainly)
        {
            return Result;
        }

        ProxyStatus? failure = response.IsAborted || fill.Cancelled.IsCancellationRequested
            ? ProxyStatus.Of(Context) ?? ProxyStatus.Incomplete
            : null;
        if (failure is null)
        {
            AppendSuffix();
        }

        if (failure is null && fill.Head is { Result: FillResult.Response, ContentLength: { } promised } && _body is not null && _body.Length != promised)
        {
            failure = ProxyStatus.Incomplete;
        }

        if (failure is not null || fill.Head is null)
        {
            services.NotStored(fill.Key.Key, NoStoreReason.Incomplete);
            Fail(failure ?? ProxyStatus.Incomplete);
            return Result;
        }

        _body?.Seal();
        Store(fill.Head);
        RemoveOutdated();
        fill.Complete(response.Trailers.Count > 0 ? response.Trailers : null);
        return Result;
    }

    /// <summary>Whoever comes next asks anew: the failure is for those who waited for it.</summary>
    private void Fail(ProxyStatus failure)
    {
        services.Fills.Remove(fill);
        fill.Fail(failure);
    }

    /// <summary>The stored response is still good: freshen it (RFC 9111 §4.3.4).</summary>
    private void Confirm(StoredResponse stored, CapturedResponse response, DateTimeOffset responseTime)
    {
        var freshened = stored.Head.Freshen(response.Headers, policy, requestTime, responseTime);
        var still = freshened.MustBeDropped
            ? !services.Memory.Remove(stored)
            : services.Memory.UpdateHead(stored, freshened);
        fill.PublishHead(
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

    /// <summary>A 206 that brings what was missing: the stored parts and it make the whole (RFC 9111 §3.4).</summary>
    private bool TryComplete(StoredResponse stored, CapturedResponse response, DateTimeOffset responseTime)
    {
        if (response.StatusCode != StatusCodes.Status206PartialContent
            || stored.Body is not PartialBody parts
            || !ContentRange.TryParse(response.Headers.ContentRange, out var contentRange)
            || contentRange.Range != plan.Missing
            || contentRange.CompleteLength != parts.Length
            || !PartStore.MayCombine(stored.Head, response.Headers)
            || !parts.TryAcquire())
        {
            return false;
        }

        _parts = parts;
        var whole = stored.Head.Freshen(response.Headers, policy, requestTime, responseTime);
        IHeaderDictionary headers = new HeaderDictionary();
        foreach (var field in whole.Fields)
        {
            headers[field.Name] = field.Value;
        }

        foreach (var (name, value) in response.Headers)
        {
            if (!headers.ContainsKey(name))
            {
                headers[name] = value;
            }
        }

        headers.ContentRange = default;
        headers.ContentLength = parts.Length;
        Publish(response, StatusCodes.Status200OK, headers, parts.Length, responseTime, prefix: parts);
        return true;
    }

    public void Dispose()
    {
        _parts?.Release();
        _parts = null;
        if (fill.Cancelled.IsCancellationRequested)
        {
            // Nobody waited for the body (in the background nobody does): the head was enough to know.
            RemoveOutdated();
        }
    }

    private void RemoveOutdated()
    {
        if (_outdated is { } outdated)
        {
            services.Memory.Remove(outdated);
        }
    }

    private void Publish(
        CapturedResponse response,
        int status,
        IHeaderDictionary headers,
        long? contentLength,
        DateTimeOffset responseTime,
        PartialBody? prefix)
    {
        var directives = ResponseDirectives.Parse(headers, policy);
        var freshness = Freshness.Of(status, headers, directives, policy, requestTime, responseTime);
        var requestDirectives = policy.HonourRequestDirectives ? RequestDirectives.Parse(Context.Request.Headers) : default;
        var reason = Storability.Decide(
            HttpMethods.Get, RequestTarget.Of(Context.Request), Context.Request.Headers, in requestDirectives,
            status, headers, directives, in freshness, policy);
        if (reason == NoStoreReason.None && contentLength > _maxObjectBytes)
        {
            reason = NoStoreReason.TooLarge;
        }

        if (reason == NoStoreReason.None && status == StatusCodes.Status206PartialContent)
        {
            // A fill asks for no part but the one that completes (which is a whole by now): this one is nobody's.
            reason = NoStoreReason.PartialUnusable;
        }

        if (reason == NoStoreReason.None
            && !services.MayStore(new CacheCandidate(HttpMethods.Get, fill.Key.Key.ToString(), Context.Request.Headers, status, headers)))
        {
            reason = NoStoreReason.Policy;
        }

        var stored = reason == NoStoreReason.None
            ? StoredHead.Create(status, headers, Context.Request.Headers, directives, freshness, policy)
            : null;

        var mayHaveBody = status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified) && contentLength != 0;
        if (mayHaveBody)
        {
            _body = GrowingBody.Create(services.Memory.Arena, stored is null ? null : contentLength);
            if (prefix is not null && plan.Missing.Offset > 0)
            {
                CopyInto(_body, prefix, new ByteRange(0, plan.Missing.Offset));
            }
        }

        ClientFields.Prepare(headers, policy, isStored: stored is not null);
        if (stored is null)
        {
            services.Fills.Remove(fill);
            services.NotStored(fill.Key.Key, reason);
            if (plan.Stored is null || !CacheableStatus.IsOriginError(status))
            {
                // An origin's error in place of a validation says nothing of the resource: the next request is another
                // try, and what is stored may answer it if that fails too.
                services.Markers.Mark(fill.Key, policy.UncacheableMarkerTtl);
            }

            if (CacheableStatus.SpeaksOfResource(status))
            {
                _outdated = plan.Stored;
            }
        }
        else
        {
            services.Markers.Clear(fill.Key);
        }

        var head = new FillHead
        {
            Result = FillResult.Response,
            Status = status,
            Headers = headers,
            Stored = stored,
            Reason = reason,
            ContentLength = contentLength,
            AnnouncesTrailers = response.AreAnnounced,
        };
        if (!mayHaveBody)
        {
            Store(head);
        }

        fill.PublishHead(head, _body, quietly: _bodyFollows && _body is not null);
    }

    /// <summary>Nobody else may join, and those who come next needn't wait for each other.</summary>
    private void StopStoring(FillHead head)
    {
        services.Markers.Mark(fill.Key, policy.UncacheableMarkerTtl);
        services.Fills.Remove(fill);
        services.NotStored(fill.Key.Key, NoStoreReason.TooLarge);
        fill.StopStoring(head with { Stored = null, Reason = NoStoreReason.TooLarge });
    }

    /// <summary>Where the missing range stood before stored bytes: they come last.</summary>
    private void AppendSuffix()
    {
        // Only behind a 206: a 200 in its place is another whole, none of the parts are its.
        if (_parts is { } parts && _body is not null && _body.Length == plan.Missing.End && parts.Length > plan.Missing.End)
        {
            CopyInto(_body, parts, new ByteRange(plan.Missing.End, parts.Length - plan.Missing.End));
        }
    }

    private void Store(FillHead head)
    {
        if (_isStored || head is { Result: FillResult.Validated })
        {
            return;
        }

        _isStored = true;

        if (head.Stored is null)
        {
            return;
        }

        if (head.Status >= StatusCodes.Status500InternalServerError
            && plan.Stored is { } stale
            && Reuse.MayServeOnError(stale.Head, default, disconnected: false, services.Time.GetUtcNow()))
        {
            // An error must not push out what may still be served in its place (RFC 5861 §4).
            services.NotStored(fill.Key.Key, NoStoreReason.Status);
            return;
        }

        if (_body is not null && !_body.TryAcquire())
        {
            throw new InvalidOperationException("The fill's own reference on its body is gone before it was stored.");
        }

        services.Store(fill.Key.Key, new StoredResponse(head.Stored, _body), fill.Epoch, policy);
    }

    private static void CopyInto(GrowingBody body, StoredBody source, ByteRange range)
    {
        for (var offset = range.Offset; offset < range.End;)
        {
            var run = source.Read(offset, (int)Math.Min(StoredResponder.BurstBytes, range.End - offset));
            if (run.IsEmpty)
            {
                throw new InvalidOperationException($"A stored part lacks the byte at {offset}.");
            }

            body.Append(run.Span);
            offset += run.Length;
        }
    }
}

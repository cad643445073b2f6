using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>What came of a fill's look into the second tier.</summary>
internal enum TierOutcome
{
    /// <summary>The fill has its answer.</summary>
    Answered,

    /// <summary>Nothing of use: ask upstream.</summary>
    Nothing,

    /// <summary>The fill has its head and the beginning of its body; the rest couldn't be had.</summary>
    BrokeOff,
}

/// <summary>Answers fills from the second tier, and keeps other nodes from fetching what this one fetches.</summary>
internal sealed class TierFills(CacheServices services)
{
    /// <summary>How long to wait for another node's fetch: longer than most take, shorter than a client's patience.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Looks for what the fill wants; where it's to be fetched, the job may hold a lease afterwards.</summary>
    internal async Task<TierOutcome> TryAnswerAsync(FillJob job, CancellationToken cancellation)
    {
        if (services.UsableTier is not { } tier)
        {
            return TierOutcome.Nothing;
        }

        await using var hit = await FindAsync(job, tier, cancellation);
        if (hit is null || hit.Body?.Length > services.MaxObjectBytesOf(job.Policy))
        {
            return TierOutcome.Nothing;
        }

        return IsFresh(job, hit.Head, hit.Moment) ? await StreamAsync(job, hit, cancellation)
            : await TakeIntoMemoryAsync(job, hit, cancellation) ? TierOutcome.Answered
            : TierOutcome.Nothing;
    }

    private async ValueTask<TierHit?> FindAsync(FillJob job, ISecondTier tier, CancellationToken cancellation)
    {
        var key = job.Fill.Key.Key;
        var wantsOnlyFresh = job.Plan.Stored is not null || job.Plan.Tier == TierUse.FreshOnly;
        bool Accepts(StoredHead head, long moment) => wantsOnlyFresh ? IsFresh(job, head, moment) : VerdictOn(job, head, moment) != PurgeVerdict.Gone;

        if (job.Plan.Tier == TierUse.NothingElse)
        {
            return await tier.FindAsync(key, job.Policy, job.Request.Headers, Accepts, cancellation);
        }

        var claim = await tier.ClaimAsync(key, job.Policy, job.Request.Headers, Accepts, Patience, cancellation);
        job.Hold(claim.Lease);
        return claim.Hit;
    }

    private PurgeVerdict VerdictOn(FillJob job, StoredHead head, long moment) => services.Epochs.Judge(job.Fill.Key.Key, head.Tags, moment, out _);

    private bool IsFresh(FillJob job, StoredHead head, long moment) =>
        VerdictOn(job, head, moment) == PurgeVerdict.Valid
        && Reuse.Decide(head, job.Plan.Directives, hasAuthorization: false, services.Time.GetUtcNow()) == ReuseDecision.Fresh;

    /// <summary>The fill's readers have the body while it comes; then it's in memory.</summary>
    private async Task<TierOutcome> StreamAsync(FillJob job, TierHit hit, CancellationToken cancellation)
    {
        var fill = job.Fill;
        var body = hit.Body is null ? null : GrowingBody.Create(services.Memory.Arena, hit.Body.Length);
        fill.Epoch = hit.Moment;
        services.Markers.Clear(fill.Key);
        fill.PublishHead(
            new FillHead
            {
                Result = FillResult.Response,
                Status = hit.Head.Status,
                Stored = hit.Head,
                ContentLength = hit.Body?.Length ?? (CanHaveBody(hit.Head.Status) ? 0 : null),
                IsFromTier = true,
            },
            body);
        if (hit.Body is not null)
        {
            try
            {
                while (await hit.Body.ReadAsync(cancellation) is { IsEmpty: false } bytes)
                {
                    fill.Append(bytes.Span);
                    if (body!.Length < hit.Body.Length)
                    {
                        await fill.PublishBytesAsync(cancellation);
                    }
                }
            }
            catch (IOException)
            {
                return TierOutcome.BrokeOff;
            }
        }

        End(job);
        return TierOutcome.Answered;
    }

    /// <summary>Ends a fill whose whole body is there by now. Its readers hear of the last byte when it's in memory.</summary>
    internal void End(FillJob job)
    {
        var fill = job.Fill;
        fill.Body?.Seal();
        if (fill.Body?.TryAcquire() != false)
        {
            services.Store(fill.Key.Key, new StoredResponse(fill.Head!.Stored!, fill.Body, fill.Epoch), job.Policy, job.Request.VisitorHeaders);
        }

        services.Fills.Remove(fill);
        fill.Complete(trailers: null);
    }

    /// <summary>
    /// What answers nobody as it is may still be confirmed by upstream, or stand in for its error: it's put where requests find it.
    /// </summary>
    private async Task<bool> TakeIntoMemoryAsync(FillJob job, TierHit hit, CancellationToken cancellation)
    {
        GrowingBody? body = null;
        var kept = false;
        try
        {
            if (hit.Body is not null)
            {
                body = GrowingBody.Create(services.Memory.Arena, hit.Body.Length);
                while (await hit.Body.ReadAsync(cancellation) is { IsEmpty: false } bytes)
                {
                    body.Append(bytes.Span);
                }

                body.Seal();
            }

            kept = !HasNewer(job, hit) && services.Memory.Put(job.Fill.Key.Key, new StoredResponse(hit.Head, body, hit.Moment), job.Policy.MaxVariants);
        }
        catch (IOException)
        {
            return false;
        }
        finally
        {
            if (!kept)
            {
                body?.Release();
            }
        }

        services.Fills.Remove(job.Fill);
        job.Fill.GiveWay();
        return true;
    }

    /// <summary>A request that went its own way has stored something meanwhile.</summary>
    private bool HasNewer(FillJob job, TierHit hit) =>
        services.Memory.Find(job.Fill.Key.Key) is { } resource
        && resource.Variants.Any(variant =>
            variant.Head.Variance.Matches(job.Policy, job.Request.Headers) && variant.Head.Freshness.ResponseTime >= hit.Head.Freshness.ResponseTime);

    private static bool CanHaveBody(int status) => status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified);
}

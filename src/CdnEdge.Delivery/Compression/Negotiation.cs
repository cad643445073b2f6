using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Compression;

/// <summary>In which coding a client gets a stored response.</summary>
internal sealed class Negotiation(Compressor compressor)
{
    /// <summary>
    /// In what codings answers with this head may be had, so that they say so; null: in one only.
    /// </summary>
    /// <param name="head">The head.</param>
    /// <param name="length">The body's length; null: not known yet.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="asStored">For another node, which compresses on its own.</param>
    internal static CodingVerdict? CodingsOf(StoredHead head, long? length, CachePolicy policy, bool asStored)
    {
        var plan = policy.Compression.Plan;
        return !asStored && plan.IsEnabled && plan.Takes(length) && head.CodingsUnder(plan) is { IsNegotiable: true } codings ? codings : null;
    }

    /// <summary>
    /// Chooses for a request, and has made what isn't there yet. True: the caller has a reference on the body. False: it has
    /// just gone. Waits for nothing, and allocates nothing where what is chosen is there.
    /// </summary>
    /// <param name="stored">The stored response.</param>
    /// <param name="head">Its head, as the caller has judged it.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="requestHeaders">What the client accepts.</param>
    /// <param name="asStored">For another node, which compresses on its own.</param>
    /// <param name="chosen">What the client gets.</param>
    internal bool TryTake(
        StoredResponse stored, StoredHead head, CachePolicy policy, IHeaderDictionary requestHeaders, bool asStored, out Representation chosen)
    {
        var codings = CodingsOf(head, stored.Body?.Length ?? 0, policy, asStored);
        var coding = codings?.Plan.Choose(requestHeaders, codings);
        if (coding is not null)
        {
            if (stored.EncodedIn(coding) is not { } encoded)
            {
                compressor.Ask(stored, codings!, coding);
            }
            else if (encoded.Body is { } body && body.TryAcquire())
            {
                chosen = new Representation(head, body, codings, encoded);
                return true;
            }
        }

        chosen = new Representation(head, stored.Body, codings, Awaited: coding);
        return stored.TryAcquireBody();
    }

    /// <summary>Something has just been stored: has made what the visitor who brought it would be sent the next time, if nothing else is to do.</summary>
    internal void Prepare(StoredResponse stored, CachePolicy policy, IHeaderDictionary requestHeaders)
    {
        if (CodingsOf(stored.Head, stored.Body?.Length ?? 0, policy, asStored: false) is { } codings
            && codings.Plan.Choose(requestHeaders, codings) is { } coding)
        {
            compressor.AskIfIdle(stored, codings, coding);
        }
    }
}

using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Peering;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Forwarding;

/// <summary>What an answer that passes from upstream says of the codings in which clients get what is stored of it.</summary>
internal sealed class PassingCodings(CacheServices services, HttpContext context, CachePolicy policy)
{
    /// <summary>The fields of a visitor's request; null: another node asks, which compresses on its own.</summary>
    internal IHeaderDictionary? Visitor => PeerAnswer.Of(context) is null ? context.Request.Headers : null;

    /// <summary>That there may be several.</summary>
    /// <param name="head">The head that is stored of it, or would be of a GET.</param>
    /// <param name="length">The body's length; null: not known yet.</param>
    internal void Name(StoredHead head, long? length)
    {
        if (Negotiation.CodingsOf(head, length, policy, asStored: Visitor is null) is { Vary: { Count: > 0 } vary })
        {
            context.Response.Headers.Vary = vary;
        }
    }

    /// <summary>Which of them a GET would be sent now, for a HEAD.</summary>
    internal void NameChosen(StoredResponse stored, StoredHead head)
    {
        if (!services.Codings.TryTake(stored, head, policy, context.Request.Headers, asStored: Visitor is null, out var chosen))
        {
            return;
        }

        ResponseHead.WriteCoding(context.Response.Headers, in chosen);
        if (chosen.Encoded is not null)
        {
            context.Response.ContentLength = chosen.Body!.Length;
        }

        chosen.Body?.Release();
    }
}

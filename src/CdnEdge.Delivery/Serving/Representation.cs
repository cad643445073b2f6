using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Delivery.Serving;

/// <summary>What of a stored response a client gets: as it's stored, or in another coding (RFC 9110 §12.1).</summary>
/// <param name="Head">The stored head.</param>
/// <param name="Body">The body that is sent; null: none.</param>
/// <param name="Codings">In what codings it may be had; null: as it's stored only.</param>
/// <param name="Encoded">The coding that is sent; null: as it's stored.</param>
/// <param name="Awaited">The coding that would be sent if it were there by now; null: it's what is sent.</param>
internal readonly record struct Representation(
    StoredHead Head, StoredBody? Body, CodingVerdict? Codings = null, EncodedBody? Encoded = null, string? Awaited = null)
{
    /// <summary>Its own tag: two codings are two representations.</summary>
    internal EntityTag? ETag => Encoded is null ? Head.ETag : Encoded.ETag;

    /// <summary>
    /// The date by which an If-Range knows it; null where it can't: all codings were modified at the same time, and bytes of one
    /// mustn't come to stand among another's.
    /// </summary>
    internal DateTimeOffset? DistinctDate => Codings is null ? Head.LastModified : null;

    /// <summary>What its answers have as Vary; empty: what is stored.</summary>
    internal StringValues Vary => Codings?.Vary ?? default;
}

using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// The head of a stored response and all that the hit path needs to know of it, parsed once when it's stored.
/// Immutable: a 304 or HEAD that freshens it makes a new one.
/// </summary>
internal sealed class StoredHead
{
    internal required int Status { get; init; }

    /// <summary>End-to-end fields to serve, without Age, Connection-nominated and hop-by-hop fields, or those that no-cache="..." or private="..." name.</summary>
    internal required HeaderField[] Fields { get; init; }

    internal required Freshness Freshness { get; init; }
    internal required Variance Variance { get; init; }
    internal required ResponseDirectives Directives { get; init; }

    internal EntityTag? ETag { get; init; }
    internal DateTimeOffset? LastModified { get; init; }

    /// <summary>The Date field, or the time of arrival where there is none or it's invalid.</summary>
    internal required DateTimeOffset Date { get; init; }

    /// <summary>Must be validated before each use: unqualified no-cache.</summary>
    internal bool AlwaysRevalidate => Directives.NoCache;

    /// <summary>must-revalidate, proxy-revalidate, s-maxage, no-cache: never served stale (RFC 9111 §4.2.4).</summary>
    internal required bool ForbidsStale { get; init; }

    /// <summary>public, s-maxage or must-revalidate: may answer requests with Authorization (RFC 9111 §3.5).</summary>
    internal required bool AllowsAuthorized { get; init; }

    /// <summary>Effective windows past freshness (origin's directive, else the policy's); zero where staleness is forbidden.</summary>
    internal required TimeSpan StaleWhileRevalidate { get; init; }
    internal required TimeSpan StaleIfError { get; init; }
    internal required TimeSpan Grace { get; init; }

    /// <summary>Managed memory that this head takes, in bytes: strings (UTF-16), arrays, objects.</summary>
    internal required int ManagedBytes { get; init; }

    /// <summary>Makes the head of a response about to be stored.</summary>
    /// <param name="status">Its status (206 parts are stored with their own status; see ranges).</param>
    /// <param name="responseHeaders">Its fields as received; Connection may still be among them.</param>
    internal static StoredHead Create(
        int status,
        IHeaderDictionary responseHeaders,
        IHeaderDictionary requestHeaders,
        ResponseDirectives directives,
        Freshness freshness,
        CachePolicy policy) => throw new NotImplementedException();

    /// <summary>
    /// The head after a validation: fields of the 304 (or of a HEAD's 200) replace those stored, except those that
    /// describe the stored body (RFC 9111 §3.2: Content-Encoding, Content-Length, Content-Range, Content-Type, ETag, ...).
    /// </summary>
    internal StoredHead Freshen(
        IHeaderDictionary responseHeaders,
        CachePolicy policy,
        DateTimeOffset requestTime,
        DateTimeOffset responseTime) => throw new NotImplementedException();

    /// <summary>True when a HEAD's 200 speaks of the same representation (validators and Content-Length agree, RFC 9111 §4.3.5).</summary>
    internal bool AgreesWithHead(IHeaderDictionary headResponse, long storedLength) => throw new NotImplementedException();
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// The head of a stored response and all that the hit path needs to know of it, parsed once when it's stored.
/// Immutable, but for what it remembers of <see cref="CodingsUnder"/>: a 304 or HEAD that freshens it makes a new one.
/// </summary>
internal sealed class StoredHead
{
    internal required int Status { get; init; }

    /// <summary>End-to-end fields to serve, without Age, Content-Length (it follows from the body), Connection-nominated and
    /// hop-by-hop fields, or those that no-cache="..." or private="..." name. There is always one Date.</summary>
    internal required HeaderField[] Fields { get; init; }

    /// <summary>
    /// Fields that end at this CDN (targeted ones, those that name tags): what another node needs to keep the response as this one
    /// does, and no client gets.
    /// </summary>
    internal required HeaderField[] Withheld { get; init; }

    internal required Freshness Freshness { get; init; }
    internal required Variance Variance { get; init; }
    internal required ResponseDirectives Directives { get; init; }

    /// <summary>By what it can be purged beside its URL.</summary>
    internal required SurrogateTags Tags { get; init; }

    internal EntityTag? ETag { get; init; }
    internal DateTimeOffset? LastModified { get; init; }

    /// <summary>The Date field, or the time of arrival where there is none or it's invalid.</summary>
    internal required DateTimeOffset Date { get; init; }

    /// <summary>
    /// True when a 304 or HEAD that freshened it said no-store or private: the head may still answer the request at hand,
    /// then the stored response has to go.
    /// </summary>
    internal bool MustBeDropped => Directives.Private || (Directives.NoStore && !Directives.MustUnderstand);

    /// <summary>Must be validated before each use: unqualified no-cache.</summary>
    internal bool AlwaysRevalidate => Directives.NoCache;

    /// <summary>
    /// must-revalidate, proxy-revalidate, s-maxage, no-cache: not served stale (RFC 9111 §4.2.4), but for windows that the
    /// origin grants beside s-maxage.
    /// </summary>
    internal required bool ForbidsStale { get; init; }

    /// <summary>public, s-maxage or must-revalidate: may answer requests with Authorization (RFC 9111 §3.5).</summary>
    internal required bool AllowsAuthorized { get; init; }

    /// <summary>Effective windows past freshness (origin's directive, else the policy's); zero where there's none.</summary>
    internal required TimeSpan StaleWhileRevalidate { get; init; }
    internal required TimeSpan StaleIfError { get; init; }
    internal required TimeSpan Grace { get; init; }

    /// <summary>Managed memory that this head takes, in bytes: strings (UTF-16), arrays, objects.</summary>
    internal required int ManagedBytes { get; init; }

    /// <summary>The lines of a field that clients get; empty where there's none.</summary>
    internal StringValues Field(string name)
    {
        foreach (ref readonly var field in Fields.AsSpan())
        {
            if (field.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return field.Value;
        }

        return default;
    }

    /// <summary>In what codings it may be had under a plan; worked out when it's first asked for, and once more under another plan.</summary>
    internal CodingVerdict CodingsUnder(CompressionPlan plan)
    {
        if (Volatile.Read(ref _codings) is { } known && ReferenceEquals(known.Plan, plan))
            return known;
        var verdict = plan.Judge(this);
        Volatile.Write(ref _codings, verdict);
        return verdict;
    }

    private CodingVerdict? _codings;

    /// <summary>Makes the head of a response about to be stored.</summary>
    /// <param name="status">Its status (206 parts are stored with their own status; see ranges).</param>
    /// <param name="responseHeaders">Its fields as received; Connection may still be among them.</param>
    internal static StoredHead Create(
        int status,
        IHeaderDictionary responseHeaders,
        IHeaderDictionary requestHeaders,
        ResponseDirectives directives,
        Freshness freshness,
        CachePolicy policy)
    {
        var (fields, withheld) = StoredFields.Select(responseHeaders, directives, policy, freshness.ResponseTime);
        return Compose(
            status, fields, withheld, Variance.Create(policy, requestHeaders, responseHeaders), SurrogateTags.Of(responseHeaders, policy), directives, freshness, policy);
    }

    /// <summary>
    /// A head that another tier has kept: what a policy or a request made of it as it was, the rest from the fields, as
    /// it was worked out at first.
    /// </summary>
    internal static StoredHead Restore(
        int status,
        HeaderField[] fields,
        HeaderField[] withheld,
        Variance variance,
        SurrogateTags tags,
        ResponseDirectives directives,
        Freshness freshness,
        TimeSpan staleWhileRevalidate,
        TimeSpan staleIfError,
        TimeSpan grace)
    {
        var arrival = freshness.ResponseTime;
        EntityTag? etag = StoredFields.Single(fields, "ETag") is { } tag && EntityTag.TryParse(tag, out var parsed)
            ? parsed with { Text = parsed.Text.Length == tag.Length ? tag : parsed.Text } // one string, not two equal ones
            : null;
        DateTimeOffset? lastModified =
            StoredFields.Single(fields, "Last-Modified") is { } changed && HttpDate.TryParse(changed, arrival, out var modified) ? modified : null;
        var date = StoredFields.Single(fields, "Date") is { } sent && HttpDate.TryParse(sent, arrival, out var at) ? at : arrival;
        return new StoredHead
        {
            Status = status,
            Fields = fields,
            Withheld = withheld,
            Freshness = freshness,
            Variance = variance,
            Directives = directives,
            Tags = tags,
            ETag = etag,
            LastModified = lastModified,
            Date = date,
            ForbidsStale = directives.ForbidsStale,
            AllowsAuthorized = directives.AllowsAuthorized,
            StaleWhileRevalidate = staleWhileRevalidate,
            StaleIfError = staleIfError,
            Grace = grace,
            ManagedBytes = ManagedSize.Of(fields, withheld, directives) + variance.ManagedBytes + tags.ManagedBytes,
        };
    }

    /// <summary>The head of the whole that parts (206) have been combined to: a 200 (RFC 9111 §3.4).</summary>
    internal StoredHead AsComplete() => With(
        StatusCodes.Status200OK,
        Array.FindAll(Fields, static field => !field.Name.Equals("Content-Range", StringComparison.OrdinalIgnoreCase)),
        Freshness);

    /// <summary>
    /// The head of a response that a soft purge has made stale: its lifetime ends at <paramref name="now"/>, where it hadn't
    /// ended before, and the windows in which it may be served stale begin.
    /// </summary>
    internal StoredHead StaleSince(DateTimeOffset now) => Freshness.Remaining(now) <= TimeSpan.Zero ? this : With(Status, Fields, Freshness with { Lifetime = Freshness.Age(now) });

    /// <summary>The head of what consists in part of another stored response (RFC 9111 §3.4): fetched no later than that.</summary>
    internal StoredHead FetchedWith(StoredHead other) => With(Status, Fields, Freshness.FetchedWith(other.Freshness));

    /// <summary>
    /// The head after a validation: fields of the 304 (or of a HEAD's 200) replace those stored, except those that
    /// describe the stored body (RFC 9111 §3.2: Content-Encoding, Content-Length, Content-Range, digests, ETag) and Vary.
    /// Content-Type is replaced. Lifetime and age are those of the merged fields as of the 304's arrival.
    /// </summary>
    /// <param name="responseHeaders">The newer response's fields.</param>
    /// <param name="policy">The policy that governs.</param>
    /// <param name="requestTime">When it was asked for.</param>
    /// <param name="responseTime">When it came.</param>
    /// <param name="fetchedAgo">Where another node of this CDN validated it: how long ago, by its own word, it had asked the origin.</param>
    internal StoredHead Freshen(
        IHeaderDictionary responseHeaders,
        CachePolicy policy,
        DateTimeOffset requestTime,
        DateTimeOffset responseTime,
        TimeSpan fetchedAgo = default)
    {
        var merged = StoredFields.Merge(Fields, Withheld, responseHeaders);
        var directives = ResponseDirectives.Parse(merged, policy);
        var freshness = Freshness.Of(Status, merged, directives, policy, requestTime, responseTime, fetchedAgo);
        var (fields, withheld) = StoredFields.Select(merged, directives, policy, responseTime);
        return Compose(
            Status, fields, withheld, Variance, Tags.FreshenedBy(responseHeaders, policy), directives, freshness, policy);
    }

    /// <summary>True when a newer response's ETag says that it's another representation.</summary>
    internal bool IsContradictedBy(IHeaderDictionary newer) =>
        ETag is { } stored
        && newer.ETag is [{ } line]
        && EntityTag.TryParse(line, out var came)
        && !stored.WeakEquals(came);

    /// <summary>True when a HEAD's 200 speaks of the same representation (validators and Content-Length agree, RFC 9111 §4.3.5).</summary>
    internal bool AgreesWithHead(IHeaderDictionary headResponse, long storedLength)
    {
        if (headResponse.ETag is [{ } etag] && (ETag is not { } stored || !stored.Text.Equals(etag.Trim(), StringComparison.Ordinal)))
            return false;
        if (headResponse.LastModified.Count != 0
            && !(HttpDate.TryParse(headResponse.LastModified, Freshness.ResponseTime, out var modified) && modified == LastModified))
        {
            return false;
        }

        return headResponse.ContentLength is not { } length || length == storedLength;
    }

    private StoredHead With(int status, HeaderField[] fields, Freshness freshness) => new()
    {
        Status = status,
        Fields = fields,
        Withheld = Withheld,
        Freshness = freshness,
        Variance = Variance,
        Directives = Directives,
        Tags = Tags,
        ETag = ETag,
        LastModified = LastModified,
        Date = Date,
        ForbidsStale = ForbidsStale,
        AllowsAuthorized = AllowsAuthorized,
        StaleWhileRevalidate = StaleWhileRevalidate,
        StaleIfError = StaleIfError,
        Grace = Grace,
        ManagedBytes = ManagedBytes,
    };

    private static StoredHead Compose(
        int status,
        HeaderField[] fields,
        HeaderField[] withheld,
        Variance variance,
        SurrogateTags tags,
        ResponseDirectives directives,
        Freshness freshness,
        CachePolicy policy)
    {
        var forbidsStale = directives.ForbidsStale;
        // s-maxage forbids the stale in general, but an origin that adds a window beside it means the window (RFC 5861):
        // "s-maxage=1, stale-while-revalidate=59" is how it's written everywhere. The other three are about each use.
        var forbidsOwnWindows = directives.MustRevalidate || directives.ProxyRevalidate || directives.NoCache;
        // Background revalidation is for what was fresh once: where nothing gave it a lifetime only the origin's own
        // stale-while-revalidate may say so.
        var defaultWindow = freshness.Source == FreshnessSource.None ? null : policy.StaleWhileRevalidate;
        return Restore(
            status,
            fields,
            withheld,
            variance,
            tags,
            directives,
            freshness,
            forbidsOwnWindows ? TimeSpan.Zero : Window(directives.StaleWhileRevalidate, forbidsStale ? null : defaultWindow),
            forbidsOwnWindows ? TimeSpan.Zero : Window(directives.StaleIfError, forbidsStale ? null : policy.StaleIfError),
            forbidsStale ? TimeSpan.Zero : policy.Grace);
    }

    private static TimeSpan Window(long? seconds, TimeSpan? fallback) =>
        seconds is { } said ? DeltaSeconds.ToTimeSpan(said) : fallback ?? TimeSpan.Zero;
}

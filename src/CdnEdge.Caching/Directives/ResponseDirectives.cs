using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// The cache directives that govern a response at the edge: Cache-Control (RFC 9111 §5.2.2, RFC 5861), or the first
/// targeted field that is valid and not empty (RFC 9213 §2.2).
/// </summary>
internal sealed class ResponseDirectives
{
    /// <summary>No directives at all.</summary>
    internal static ResponseDirectives None { get; } = new();

    /// <summary>The targeted field these come from; null when they come from Cache-Control.</summary>
    internal string? TargetedField { get; init; }

    internal bool NoStore { get; init; }
    /// <summary>Unqualified no-cache.</summary>
    internal bool NoCache { get; init; }
    internal IReadOnlyList<string> NoCacheFields { get; init; } = [];
    /// <summary>Unqualified private.</summary>
    internal bool Private { get; init; }
    internal IReadOnlyList<string> PrivateFields { get; init; } = [];
    internal bool Public { get; init; }
    internal bool MustRevalidate { get; init; }
    internal bool ProxyRevalidate { get; init; }
    internal bool MustUnderstand { get; init; }
    internal bool NoTransform { get; init; }

    /// <summary>Seconds; null when absent, 0 when present but invalid (stale, RFC 9111 §4.2.1).</summary>
    internal long? MaxAge { get; init; }
    internal long? SMaxAge { get; init; }
    internal long? StaleWhileRevalidate { get; init; }
    internal long? StaleIfError { get; init; }

    /// <summary>must-revalidate, proxy-revalidate, s-maxage or no-cache: never served stale (RFC 9111 §4.2.4).</summary>
    internal bool ForbidsStale => MustRevalidate || ProxyRevalidate || SMaxAge is not null || NoCache;

    /// <summary>public, s-maxage or must-revalidate (RFC 9111 §3.5).</summary>
    internal bool AllowsAuthorized => Public || SMaxAge is not null || MustRevalidate;

    /// <summary>Parses the directives that govern under <paramref name="policy"/> (its targeted fields, override and ignore settings).</summary>
    internal static ResponseDirectives Parse(IHeaderDictionary headers, CachePolicy policy)
    {
        if (policy.OverrideCacheControl is { } stated)
            return ParseCacheControl(stated);
        if (policy.IgnoreOriginCacheControl)
            return None;

        for (var i = 0; i < policy.TargetedFields.Count; i++)
        {
            var name = policy.TargetedFields[i];
            var lines = headers[name];
            // "If a targeted field in a given response is empty, or a parsing error is encountered, that field MUST be
            // ignored by the cache" (RFC 9213 §2.2).
            if (lines.Count != 0 && StructuredField.TryParseDictionary(lines, out var members) && members.Count != 0)
                return TargetedDirectives.Read(WellKnownFields.Intern(name), members);
        }

        return ParseCacheControl(headers.CacheControl);
    }

    /// <summary>
    /// Cache-Control alone. Of values that contradict each other the smallest counts, of the two forms of no-cache and
    /// private the stricter (RFC 9111 §4.2.1 would allow the first value, or to call it all stale).
    /// </summary>
    internal static ResponseDirectives ParseCacheControl(StringValues lines)
    {
        if (lines.Count == 0)
            return None;
        if (lines.Count != 1 || lines[0] is not { Length: > 0 and <= DirectivesCache.MaxLength } line)
            return Read(lines);
        if (DirectivesCache.Find(line) is { } known)
            return known;
        var parsed = Read(lines);
        DirectivesCache.Add(line, parsed);
        return parsed;
    }

    private static ResponseDirectives Read(StringValues lines)
    {
        bool noStore = false, noCache = false, isPrivate = false, isPublic = false;
        bool mustRevalidate = false, proxyRevalidate = false, mustUnderstand = false, noTransform = false;
        long? maxAge = null, sMaxAge = null, staleWhileRevalidate = null, staleIfError = null;
        List<string>? noCacheFields = null, privateFields = null;

        var reader = new CacheControlReader(lines);
        while (reader.MoveNext())
        {
            // Directives that forbid count however they are written; those that allow only when written properly.
            if (reader.Is("max-age"))
                maxAge = Smallest(maxAge, reader);
            else if (reader.Is("s-maxage"))
                sMaxAge = Smallest(sMaxAge, reader);
            else if (reader.Is("no-store"))
                noStore = true;
            else if (reader.Is("no-cache"))
                noCache |= !IsQualified(reader, ref noCacheFields);
            else if (reader.Is("private"))
                isPrivate |= !IsQualified(reader, ref privateFields);
            else if (reader.Is("public"))
                isPublic |= IsPlain(reader);
            else if (reader.Is("must-revalidate"))
                mustRevalidate = true;
            else if (reader.Is("proxy-revalidate"))
                proxyRevalidate = true;
            else if (reader.Is("must-understand"))
                mustUnderstand |= IsPlain(reader);
            else if (reader.Is("no-transform"))
                noTransform = true;
            else if (reader.Is("stale-while-revalidate"))
                staleWhileRevalidate = Smallest(staleWhileRevalidate, reader);
            else if (reader.Is("stale-if-error"))
                staleIfError = Smallest(staleIfError, reader);
        }

        return new ResponseDirectives
        {
            NoStore = noStore,
            NoCache = noCache,
            NoCacheFields = noCacheFields?.ToArray() ?? [],
            Private = isPrivate,
            PrivateFields = privateFields?.ToArray() ?? [],
            Public = isPublic,
            MustRevalidate = mustRevalidate,
            ProxyRevalidate = proxyRevalidate,
            MustUnderstand = mustUnderstand,
            NoTransform = noTransform,
            MaxAge = maxAge,
            SMaxAge = sMaxAge,
            StaleWhileRevalidate = staleWhileRevalidate,
            StaleIfError = staleIfError,
        };
    }

    private static bool IsPlain(in CacheControlReader reader) => !reader.HasArgument && !reader.IsMalformed;

    private static long Smallest(long? soFar, in CacheControlReader reader)
    {
        var seconds = reader.TryGetSeconds(out var valid) ? valid : 0;
        return Math.Min(soFar ?? long.MaxValue, seconds);
    }

    /// <summary>An argument that isn't a list of field names makes the directive an unqualified one, the stricter reading.</summary>
    private static bool IsQualified(in CacheControlReader reader, ref List<string>? fields) =>
        reader.HasArgument && !reader.IsMalformed && FieldNameList.TryParse(reader.Argument, fields ??= []);
}

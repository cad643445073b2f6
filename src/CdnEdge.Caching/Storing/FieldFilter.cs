using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>Which fields of a response are stored (RFC 9111 §3.1), and which of those are kept from clients.</summary>
internal readonly struct FieldFilter
{
    private readonly ResponseDirectives _directives;
    private readonly CachePolicy _policy;
    private readonly List<string>? _nominated;

    internal FieldFilter(IHeaderDictionary headers, ResponseDirectives directives, CachePolicy policy)
    {
        _directives = directives;
        _policy = policy;
        foreach (var line in headers.Connection)
        {
            // "close" and the like are nominated too, which does no harm: no field is called that.
            if (line is not null)
                FieldNameList.TryParse(line, _nominated ??= []);
        }
    }

    internal bool IsStored(string name) =>
        !IsNeverStored(name)
        && (_nominated is null || !FieldNameList.Contains(_nominated, name))
        && !FieldNameList.Contains(_directives.NoCacheFields, name)
        && !FieldNameList.Contains(_directives.PrivateFields, name)
        && !(_policy.SetCookie != SetCookiePolicy.Store && name.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase));

    /// <summary>It ends at this CDN: other nodes get it, clients don't.</summary>
    internal bool IsWithheld(string name) =>
        _policy.StripTargetedFields.Contains(name, StringComparer.OrdinalIgnoreCase)
        || (_policy.StripTagFields && _policy.TagFields.Contains(name, StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// Hop-by-hop fields, proxies' own, Alt-Svc (which would send visitors past the edge to what the origin speaks), those the cache writes anew for each answer (Age; Content-Length, which follows
    /// from the body), and Trailer, since trailer sections aren't stored.
    /// </summary>
    private static bool IsNeverStored(string name) => name.Length switch
    {
        2 => Is(name, "TE"),
        3 => Is(name, "Age"),
        7 => Is(name, "Alt-Svc") || Is(name, "Trailer") || Is(name, "Upgrade"),
        10 => Is(name, "Connection") || Is(name, "Keep-Alive"),
        14 => Is(name, "Content-Length"),
        16 => Is(name, "Proxy-Connection"),
        17 => Is(name, "Transfer-Encoding"),
        18 => Is(name, "Proxy-Authenticate"),
        19 => Is(name, "Proxy-Authorization"),
        25 => Is(name, "Proxy-Authentication-Info"),
        _ => name.Length == 0 || name[0] == ':',
    };

    /// <summary>
    /// Fields of a 304 or HEAD that don't replace the stored ones: what describes the stored bytes, and Vary, which the
    /// stored selecting values go with (RFC 9111 §3.2).
    /// </summary>
    internal static bool DescribesStoredBody(string name) =>
        Is(name, "Content-Encoding") || Is(name, "Content-Range") || IsDigest(name) || Is(name, "ETag") || Is(name, "Vary");

    /// <summary>Fields that hold for these very bytes (RFC 9530), so not for them in another coding.</summary>
    internal static bool IsDigest(string name) =>
        Is(name, "Content-MD5") || Is(name, "Content-Digest") || Is(name, "Repr-Digest") || Is(name, "Digest");

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}

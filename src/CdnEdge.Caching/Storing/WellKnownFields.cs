using System.Collections.Frozen;

namespace CdnEdge.Caching;

/// <summary>
/// One string for what thousands of stored heads have in common: the names of fields, the values that servers send with
/// everything.
/// </summary>
internal static class WellKnownFields
{
    /// <summary>Longer values aren't looked up among the recent ones, in characters.</summary>
    private const int MaxSharedLength = 256;

    private const int Slots = 1024;

    private static readonly FrozenDictionary<string, string> Names = new[]
    {
        "Accept-CH", "Accept-Patch", "Accept-Ranges", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
        "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
        "Allow", "Alt-Svc", "Cache-Control", "Cache-Status", "CDN-Cache-Control", "CdnEdge-CDN-Cache-Control", "Clear-Site-Data",
        "Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location",
        "Content-MD5", "Content-Range", "Content-Security-Policy", "Content-Type", "Cross-Origin-Embedder-Policy",
        "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Date", "ETag", "Expires", "Last-Modified", "Link",
        "Location", "NEL", "Permissions-Policy", "Pragma", "Proxy-Status", "Referrer-Policy", "Report-To",
        "Reporting-Endpoints", "Repr-Digest", "Retry-After", "Server", "Server-Timing", "Set-Cookie", "Surrogate-Key",
        "Cache-Tag", "SourceMap", "Strict-Transport-Security", "Timing-Allow-Origin", "Vary", "Via", "WWW-Authenticate",
        "X-Cache", "X-Content-Type-Options", "X-Frame-Options", "X-Powered-By", "X-Request-Id", "X-Robots-Tag",
        "X-UA-Compatible", "X-XSS-Protection", "Accept", "Accept-Encoding", "Accept-Language", "Cookie", "Origin", "User-Agent",
    }.ToFrozenDictionary(name => name, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Values = new[]
    {
        "", "*", "0", "1", "br", "gzip", "zstd", "deflate", "bytes", "none", "true", "nosniff", "DENY", "SAMEORIGIN", "inline", "attachment",
        "Accept-Encoding", "Accept", "Origin", "Accept-Language", "Cookie", "accept-encoding", "Accept-Encoding, Origin",
        "text/html", "text/html; charset=utf-8", "text/html; charset=UTF-8", "text/html;charset=UTF-8", "text/plain",
        "text/plain; charset=utf-8", "text/css", "text/css; charset=utf-8", "text/javascript", "text/javascript; charset=utf-8",
        "application/javascript", "application/json", "application/json; charset=utf-8", "application/xml",
        "application/octet-stream", "application/pdf", "application/wasm", "application/font-woff2", "font/woff2", "font/woff",
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml", "image/x-icon", "video/mp4",
        "public", "no-cache", "max-age=0", "max-age=60", "max-age=300", "max-age=600", "max-age=3600", "max-age=86400",
        "max-age=31536000", "public, max-age=31536000", "public, max-age=31536000, immutable", "public, max-age=3600",
        "nginx", "Apache", "Kestrel", "Express", "strict-origin-when-cross-origin", "no-referrer", "1; mode=block",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly string?[] Recent = new string?[Slots];

    /// <summary>The canonical spelling where the name is a well-known one, else the name itself.</summary>
    internal static string Intern(string name) => Names.TryGetValue(name, out var known) ? known : name;

    /// <summary>True for strings that live as long as the process and so cost a stored head nothing.</summary>
    internal static bool IsPermanent(string text) =>
        (Names.TryGetValue(text, out var name) && ReferenceEquals(name, text))
        || (Values.TryGetValue(text, out var value) && ReferenceEquals(value, text));

    /// <summary>
    /// An equal string that's already in use, where there's one at hand. Racing threads may each keep their own: that
    /// costs memory, nothing else.
    /// </summary>
    internal static string Share(string value)
    {
        if (Values.TryGetValue(value, out var known))
            return known;
        if (value.Length > MaxSharedLength)
            return value;
        ref var slot = ref Recent[(uint)value.GetHashCode(StringComparison.Ordinal) % Slots];
        if (Volatile.Read(ref slot) is { } recent && recent.Equals(value, StringComparison.Ordinal))
            return recent;
        Volatile.Write(ref slot, value);
        return value;
    }
}

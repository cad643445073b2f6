using System.Collections.Frozen;
using System.Globalization;

namespace CdnEdge.Caching;

/// <summary>What status codes mean to a shared cache.</summary>
internal static class CacheableStatus
{
    /// <summary>RFC 9110 §15.1: these may be given a heuristic freshness lifetime.</summary>
    private static readonly FrozenSet<int> Heuristic =
        new[] { 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501 }.ToFrozenSet();

    /// <summary>
    /// Answers that a request's own headers, body, connection or timing can provoke for a URL that answers others well.
    /// Stored, one sender's mistake (or malice: "cache-poisoned denial of service") would be everybody's answer.
    /// </summary>
    private static readonly FrozenSet<int> Provokable = new[]
    {
        400, // Bad Request: any odd header does it.
        401, // Unauthorized: this sender had no credentials, or wrong ones.
        402, // Payment Required: told apart by the sender's payment headers.
        403, // Forbidden: by User-Agent, Referer, credentials or the address that the origin believes in.
        406, // Not Acceptable: Accept, Accept-Language.
        407, // Proxy Authentication Required: hop-by-hop.
        408, // Request Timeout: the sender was slow.
        409, // Conflict: with the state that this request assumed.
        411, // Length Required: the request's framing.
        412, // Precondition Failed: If-Match and the like.
        413, // Content Too Large: the request's body, in some servers its headers.
        415, // Unsupported Media Type: Content-Type, Content-Encoding.
        416, // Range Not Satisfiable: Range.
        417, // Expectation Failed: Expect.
        421, // Misdirected Request: the connection it came by; RFC 9110 §15.5.20 says not to generate it from caches.
        422, // Unprocessable Content: the request's body.
        425, // Too Early: Early-Data (RFC 8470).
        426, // Upgrade Required: Upgrade.
        428, // Precondition Required: MUST NOT be stored (RFC 6585 §3).
        429, // Too Many Requests: MUST NOT be stored (RFC 6585 §4).
        431, // Request Header Fields Too Large: MUST NOT be stored (RFC 6585 §5).
        505, // HTTP Version Not Supported: the message's.
        510, // Not Extended: the request lacked an extension (RFC 2774).
        511, // Network Authentication Required: MUST NOT be stored (RFC 6585 §6).
        // Not here, since they speak of the URL (or of the origin) and RFC 9110 or 7725 makes them cacheable: 404, 405,
        // 410, 451, 501, and 414 as long as all of the URL is in the key; nor 500, 502, 503, 504, which are stored only with explicit freshness.
        // (A GET that claims another method provokes 405 and 501 too, but the claim ends at the edge.)
    }.ToFrozenSet();

    /// <summary>Registered final codes: the ones that must-understand can rely on (RFC 9111 §5.2.2.3).</summary>
    private static readonly FrozenSet<int> Understood = new[]
    {
        200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 305, 307, 308,
        400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425,
        426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
    }.ToFrozenSet();

    /// <summary>Final responses other than 304: a 304 and a 1xx are never a stored response of their own.</summary>
    internal static bool IsEverStored(int status) => status is >= 200 and <= 599 and not 304;

    internal static bool IsHeuristic(int status) => Heuristic.Contains(status);

    internal static bool IsUnderstood(int status) => Understood.Contains(status);

    /// <summary>
    /// Whether a response with this status, even one that isn't stored, shows that what was stored before it is outdated
    /// (RFC 9111 §4.3.3): it speaks of the resource, not of the request or of the origin's state.
    /// </summary>
    internal static bool SpeaksOfResource(int status) => status is >= 200 and <= 499 and not 304 && !Provokable.Contains(status);

    /// <summary>The failures that stale-if-error is about (RFC 5861 §4).</summary>
    internal static bool IsOriginError(int status) => status is 500 or 502 or 503 or 504;

    /// <summary>
    /// Whether the policy lets a status be stored that a request's headers can provoke. It has to name it: a class
    /// (<c>4xx</c>) in <see cref="CachePolicy.StatusTtl"/> gives those a lifetime that are stored anyway.
    /// </summary>
    internal static bool IsAllowed(int status, CachePolicy policy) =>
        !(Provokable.Contains(status) || (status == 414 && policy.Key.Query != QueryKeyMode.All)) || IsNamed(status, policy);

    /// <summary>The policy names the status by its own code: the operator knows what provokes it.</summary>
    internal static bool IsNamed(int status, CachePolicy policy) =>
        policy.StoreStatuses.Contains(status)
        || (policy.StatusTtl.Count != 0 && policy.StatusTtl.ContainsKey(status.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The policy's lifetime for a status: the code's own, else its class's.</summary>
    internal static TimeSpan? Ttl(int status, CachePolicy policy)
    {
        if (policy.StatusTtl.Count == 0)
            return null;
        if (policy.StatusTtl.TryGetValue(status.ToString(CultureInfo.InvariantCulture), out var ttl))
            return ttl;
        foreach (var (key, value) in policy.StatusTtl)
        {
            if (key.Length == 3 && key[0] == '0' + status / 100 && key.EndsWith("xx", StringComparison.OrdinalIgnoreCase))
                return value;
        }

        return null;
    }
}

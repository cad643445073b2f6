namespace CdnEdge.Caching;

/// <summary>
/// How the responses of a route are cached. The defaults are right for a website that knows nothing of CDNs:
/// what HTTP says (RFC 9111) is obeyed, responses that set cookies aren't shared, nothing uncertain is stored.
/// Bound from <c>CdnEdge:Policies:NAME</c>, or built in code. Treated as immutable once registered.
/// </summary>
public sealed class CachePolicy
{
    /// <summary>False: every request of the route is forwarded, nothing is stored.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>What of the request makes the cache key.</summary>
    public KeyPolicy Key { get; set; } = new();

    /// <summary>
    /// Methods whose responses may be stored: any of <c>GET</c>, <c>HEAD</c>, <c>POST</c>
    /// (a POST only with explicit freshness and a Content-Location equal to its target, RFC 9110 §9.3.3).
    /// </summary>
    public IList<string> Methods { get; set; } = ["GET", "HEAD", "POST"];

    /// <summary>Freshness lifetime where the origin says none, in place of the heuristic. Null: the heuristic.</summary>
    public TimeSpan? DefaultTtl { get; set; }

    /// <summary>
    /// Lower bound of a stored response's freshness lifetime, <c>max-age=0</c> included; where the origin gives none at
    /// all, <see cref="DefaultTtl"/> is the setting. Never makes no-store, private or no-cache storable or reusable.
    /// </summary>
    public TimeSpan? MinTtl { get; set; }

    /// <summary>Upper bound of a stored response's freshness lifetime.</summary>
    public TimeSpan? MaxTtl { get; set; }

    /// <summary>
    /// Freshness lifetime by status, "404" or a class "5xx", where the origin says none (negative caching).
    /// A status that is listed here by its own code may be stored even if it's one that a request's own headers can
    /// provoke; a class doesn't open that door.
    /// </summary>
    public IDictionary<string, TimeSpan> StatusTtl { get; set; } = new Dictionary<string, TimeSpan>();

    /// <summary>
    /// Statuses that may be stored although a request's own headers can provoke them (400, 413, 431, ...), given
    /// that the response is storable otherwise.
    /// </summary>
    public IList<int> StoreStatuses { get; set; } = [];

    /// <summary>Share of the time since Last-Modified that counts as fresh (RFC 9111 §4.2.2), 0 to 1.</summary>
    public double HeuristicFraction { get; set; } = 0.1;

    /// <summary>Ceiling of heuristic freshness. Zero turns the heuristic off.</summary>
    public TimeSpan HeuristicCeiling { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Whether a response with only heuristic freshness is stored when its request carried cookies.</summary>
    public HeuristicWithCookies HeuristicWithCookies { get; set; } = HeuristicWithCookies.Assets;

    /// <summary>Ignore the origin's Cache-Control, Expires, Pragma and targeted fields altogether.</summary>
    public bool IgnoreOriginCacheControl { get; set; }

    /// <summary>A Cache-Control value that stands in for the origin's (it governs the edge only). Null: the origin's.</summary>
    public string? OverrideCacheControl { get; set; }

    /// <summary>
    /// Targeted response fields in order of preference (RFC 9213 §2.2); the first valid, non-empty one governs
    /// in place of Cache-Control and Expires.
    /// </summary>
    public IList<string> TargetedFields { get; set; } = ["CdnEdge-CDN-Cache-Control", "CDN-Cache-Control"];

    /// <summary>Targeted fields that are not passed on to clients (RFC 9213 §3.1 lets CDN-Cache-Control through).</summary>
    public IList<string> StripTargetedFields { get; set; } = ["CdnEdge-CDN-Cache-Control"];

    /// <summary>
    /// Response fields that name the tags by which a response can be purged: lists by commas, <c>Surrogate-Key</c> one by
    /// blanks. (<c>Cache-Groups</c>, RFC 9875, needs no setting.)
    /// </summary>
    public IList<string> TagFields { get; set; } = ["Surrogate-Key", "Cache-Tag"];

    /// <summary>Whether clients don't get the fields of <see cref="TagFields"/>.</summary>
    public bool StripTagFields { get; set; } = true;

    /// <summary>What becomes of responses that carry Set-Cookie.</summary>
    public SetCookiePolicy SetCookie { get; set; } = SetCookiePolicy.Bypass;

    /// <summary>
    /// Request fields that go upstream although they'd be removed (<c>Forwarding:RemoveHeaders</c>, X-Forwarded-*). Nothing tells
    /// answers apart that were made from them, unless the origin sends Vary: what is in the key (<see cref="KeyPolicy.Headers"/>)
    /// passes by itself, and is safe.
    /// </summary>
    public IList<string> PassHeaders { get; set; } = [];

    /// <summary>
    /// Store a response (2xx) to a path with the extension of a static file only if its Content-Type is one that such a file
    /// has: <c>/account/x.css</c> answered with text/html isn't stored (cache deception).
    /// </summary>
    public bool CheckExtension { get; set; }

    /// <summary>Requests that are neither answered from the cache nor stored.</summary>
    public BypassPolicy Bypass { get; set; } = new();

    /// <summary>
    /// How long past its freshness a response may be served when the origin can't be reached (RFC 9111 §4.2.4:
    /// "disconnected") and it doesn't forbid it.
    /// </summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromHours(1);

    /// <summary>stale-while-revalidate (RFC 5861 §3) where the origin says none. Null: none.</summary>
    public TimeSpan? StaleWhileRevalidate { get; set; }

    /// <summary>stale-if-error (RFC 5861 §4) where the origin says none. Null: none.</summary>
    public TimeSpan? StaleIfError { get; set; }

    /// <summary>
    /// A file that clients get as the body of an error that the edge answers itself because no upstream gave a response (502, 503, 504):
    /// HTML, or text by the ending <c>.txt</c>, or JSON by <c>.json</c>; at most 256 KiB. Null: one line of text.
    /// </summary>
    public string? ErrorPage { get; set; }

    /// <summary>
    /// Largest body that is stored, in bytes. Null: an eighth of the memory tier. Never more than the memory tier.
    /// </summary>
    public long? MaxObjectBytes { get; set; }

    /// <summary>Most variants of one URL that are kept; the oldest goes first. 1 to 10,000.</summary>
    public int MaxVariants { get; set; } = 64;

    /// <summary>How long an uncacheable answer keeps later requests from waiting for each other. Zero: not at all.</summary>
    public TimeSpan UncacheableMarkerTtl { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Which stored responses are compressed, and how.</summary>
    public CompressionPolicy Compression { get; set; } = new();

    /// <summary>Whether clients' <c>Cache-Control: no-cache</c>, <c>max-age</c>, <c>min-fresh</c>, ... are obeyed (RFC 9111 §5.2.1).</summary>
    public bool HonourRequestDirectives { get; set; } = true;

    /// <summary>Whether a request field goes upstream that otherwise wouldn't.</summary>
    internal bool Passes(string field) =>
        PassHeaders.Contains(field, StringComparer.OrdinalIgnoreCase) || Key.Headers.Contains(field, StringComparer.OrdinalIgnoreCase);
}

/// <summary>What of a request makes its cache key, besides host and path.</summary>
public sealed class KeyPolicy
{
    /// <summary>Which query parameters belong to the key.</summary>
    public QueryKeyMode Query { get; set; } = QueryKeyMode.All;

    /// <summary>The names meant by <see cref="QueryKeyMode.Allow"/> and <see cref="QueryKeyMode.Deny"/> (exact, case-sensitive; a trailing <c>*</c> matches a prefix).</summary>
    public IList<string> QueryParameters { get; set; } = [];

    /// <summary>Sort the query parameters by name (stable), so that their order makes no difference.</summary>
    public bool SortQuery { get; set; }

    /// <summary>
    /// Ask the origin with the query as it was sent, though the key has only a part of it or another order: whoever sends a parameter
    /// that the key doesn't have then chooses what others get. False: the origin sees the query that is in the key.
    /// </summary>
    public bool ForwardWholeQuery { get; set; }

    /// <summary>Request headers whose values tell variants apart even if the origin sends no Vary.</summary>
    public IList<string> Headers { get; set; } = [];

    /// <summary>Cookies whose values tell variants apart.</summary>
    public IList<string> Cookies { get; set; } = [];

    /// <summary>Hosts that share one cache: alias to canonical host (<c>www.example.org</c> to <c>example.org</c>).</summary>
    public IDictionary<string, string> HostAliases { get; set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Worked out at first use: policies are immutable once registered. A race makes it twice, which is harmless.</summary>
    internal KeyPlan Plan => _plan ??= new KeyPlan(this);

    private KeyPlan? _plan;
}

/// <summary>Which query parameters belong to the cache key.</summary>
public enum QueryKeyMode
{
    /// <summary>All of them, as sent.</summary>
    All,

    /// <summary>None: the query makes no difference.</summary>
    None,

    /// <summary>Only those listed.</summary>
    Allow,

    /// <summary>All but those listed.</summary>
    Deny,
}

/// <summary>What becomes of responses that carry Set-Cookie.</summary>
public enum SetCookiePolicy
{
    /// <summary>Passed on, not stored.</summary>
    Bypass,

    /// <summary>Stored without the cookies (the client whose request fetched it gets none either).</summary>
    Strip,

    /// <summary>Stored and served with the cookies, as RFC 9111 §7.3 has it.</summary>
    Store,
}

/// <summary>Whether heuristically fresh responses to requests with cookies are stored.</summary>
public enum HeuristicWithCookies
{
    /// <summary>Never.</summary>
    Never,

    /// <summary>Only what is an asset by its Content-Type: images, fonts, audio, video, style sheets, scripts, wasm.</summary>
    Assets,

    /// <summary>Always.</summary>
    Always,
}

/// <summary>Requests that are neither answered from the cache nor stored; any match suffices.</summary>
public sealed class BypassPolicy
{
    /// <summary>Names of request cookies (a trailing <c>*</c> matches a prefix).</summary>
    public IList<string> Cookies { get; set; } = [];

    /// <summary>Names of request headers.</summary>
    public IList<string> Headers { get; set; } = [];

    /// <summary>Names of query parameters.</summary>
    public IList<string> QueryParameters { get; set; } = [];

    /// <summary>Path prefixes, segment-wise: <c>/admin</c> matches <c>/admin</c> and <c>/admin/x</c>, not <c>/administrator</c>.</summary>
    public IList<string> Paths { get; set; } = [];
}

namespace CdnEdge.Storage;

/// <summary>
/// The Redis tier, which the nodes of a PoP share; bound from <c>CdnEdge:Redis</c>. Off where there's no
/// <see cref="Connection"/>, and, with a warning, where there's neither a key nor <see cref="AllowPlaintext"/>.
/// </summary>
public sealed class RedisOptions
{
    /// <summary>
    /// Where Redis is, as StackExchange.Redis writes it: <c>redis:6379</c>, <c>a:6379,b:6379,password=...,ssl=true</c>
    /// (several addresses: a cluster's nodes, or a master and its replicas). Null: no Redis.
    /// </summary>
    public string? Connection { get; set; }

    /// <summary>What the names of all keys in Redis begin with: letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>:</c>.</summary>
    public string Prefix { get; set; } = "cdnedge";

    /// <summary>How long Redis may take to the first byte of an answer, 1 ms to 10 s; what comes later counts as not there.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Largest body that is written, in bytes, 0 to 512 MiB.</summary>
    public long MaxObjectBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Longest time that anything is kept, whatever its freshness; a minute to 365 days.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Whether text that came plain is kept compressed (Brotli). Costs time of the processor, saves memory of Redis.</summary>
    public bool Compress { get; set; }

    /// <summary>
    /// Keys by their ids, 32 bytes each in base64 (<c>openssl rand -base64 32</c>). An id has 1 to 32 letters, digits, <c>-</c>
    /// or <c>_</c>. All of them are read with; <see cref="ActiveKey"/> writes.
    /// </summary>
    public IDictionary<string, string> Keys { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The id of the key that writes. Null: the only one, or the first of <see cref="KeyFile"/>.</summary>
    public string? ActiveKey { get; set; }

    /// <summary>A file of keys in place of <see cref="Keys"/>: a line <c>id key</c> for each, <c>#</c> before comments.</summary>
    public string? KeyFile { get; set; }

    /// <summary>Whether to do without encryption where no key is given.</summary>
    public bool AllowPlaintext { get; set; }
}

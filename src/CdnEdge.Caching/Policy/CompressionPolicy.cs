namespace CdnEdge.Caching;

/// <summary>
/// Which stored responses are compressed for clients that take it. That's done once for each stored response and coding, in the
/// background; until it's done clients get the response as it came. What isn't stored passes as it is.
/// </summary>
public sealed class CompressionPolicy
{
    /// <summary>False: responses leave in the coding in which they came.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Content codings (RFC 9110 §8.4.1), at most 8: of those that a client likes equally well the first is used. <c>br</c>,
    /// <c>zstd</c> and <c>gzip</c> are always there, others where the application has a provider for them.
    /// </summary>
    public IList<string> Encodings { get; set; } = ["br", "zstd", "gzip"];

    /// <summary>
    /// Media types of what is compressed, each a type (<c>text/css</c>), all of a kind (<c>text/*</c>) or all with a suffix
    /// (<c>*+json</c>). What is compressed by its own nature (images, video, WOFF, archives) only grows by it.
    /// </summary>
    public IList<string> Types { get; set; } =
    [
        "text/*",
        "*+json", "*+xml", "*+text",
        "application/javascript", "application/x-javascript", "application/ecmascript",
        "application/json", "application/json-seq", "application/x-ndjson", "application/jsonl",
        "application/xml", "application/xml-dtd",
        "application/yaml", "application/x-yaml", "application/toml", "application/sql", "application/graphql", "application/rtf",
        "application/wasm",
        "application/vnd.ms-fontobject", "application/x-font-ttf", "application/x-font-truetype", "application/x-font-opentype",
        "font/ttf", "font/otf", "font/sfnt", "font/collection",
        "image/bmp", "image/x-ms-bmp", "image/x-icon", "image/vnd.microsoft.icon",
    ];

    /// <summary>Bodies of fewer bytes are left alone: little is won, and a packet is sent anyway. At least 1.</summary>
    public long MinBytes { get; set; } = 1024;

    /// <summary>Bodies of more bytes are left alone: the time of a core that they take. At most 64 MiB.</summary>
    public long MaxBytes { get; set; } = 10 << 20;

    /// <summary>
    /// Whether what the origin has compressed itself (<c>gzip</c>, <c>br</c>, <c>zstd</c>) is compressed anew for clients
    /// that like another coding of <see cref="Encodings"/> as well, and which stands before the origin's there. Decompressed, it
    /// may have <see cref="MaxBytes"/>.
    /// </summary>
    public bool Recompress { get; set; }

    /// <summary>Worked out at first use, as <see cref="KeyPolicy.Plan"/>.</summary>
    internal CompressionPlan Plan => _plan ??= new CompressionPlan(this);

    private CompressionPlan? _plan;
}

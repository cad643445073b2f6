namespace CdnEdge.Caching;

/// <summary>Why a request went forward, RFC 9211 §2.2.</summary>
internal enum ForwardReason
{
    None,
    Bypass,
    Method,
    UriMiss,
    VaryMiss,
    Miss,
    Request,
    Stale,
    Partial,
}

/// <summary>One member of Cache-Status (RFC 9211).</summary>
internal readonly record struct CacheStatus
{
    internal bool Hit { get; init; }
    internal ForwardReason Forward { get; init; }
    /// <summary>Status of the forwarded request's response; null: same as the final one or none.</summary>
    internal int? ForwardStatus { get; init; }
    /// <summary>Remaining freshness in seconds, negative when stale.</summary>
    internal long? Ttl { get; init; }
    internal bool? Stored { get; init; }
    internal bool Collapsed { get; init; }
    /// <summary>A token or text for people: the reason of a bypass, no-store or failure.</summary>
    internal string? Detail { get; init; }

    /// <summary>Serialises as a structured-field item with parameters; <paramref name="cache"/> is written as a token where it is one, else as a string.</summary>
    internal string Format(string cache) => throw new NotImplementedException();
}

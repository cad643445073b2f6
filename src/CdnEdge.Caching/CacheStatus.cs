using System.Globalization;
using System.Text;

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
    /// <remarks>A plain hit, <c>name; hit; ttl=N</c>, allocates nothing as long as hits with the same N keep coming.</remarks>
    internal string Format(string cache) =>
        IsPlainHit && Ttl is { } ttl ? HitTexts.Of(cache, ttl) : Compose(cache);

    private bool IsPlainHit =>
        Hit && Forward == ForwardReason.None && ForwardStatus is null && Stored is null && !Collapsed && Detail is null;

    private string Compose(string cache)
    {
        var text = new StringBuilder(cache.Length + 48);
        StructuredField.AppendTokenOrString(text, cache);
        if (Hit)
            text.Append("; hit");
        if (Forward != ForwardReason.None)
            text.Append("; fwd=").Append(Word(Forward));
        if (ForwardStatus is { } status)
            text.Append(CultureInfo.InvariantCulture, $"; fwd-status={status}");
        if (Ttl is { } ttl)
            text.Append(CultureInfo.InvariantCulture, $"; ttl={ttl}");
        if (Stored is { } stored)
            text.Append(stored ? "; stored" : "; stored=?0");
        if (Collapsed)
            text.Append("; collapsed");
        if (Detail is not null)
            StructuredField.AppendTokenOrString(text.Append("; detail="), Detail);
        return text.ToString();
    }

    /// <summary>RFC 9211 §2.2.</summary>
    private static string Word(ForwardReason reason) => reason switch
    {
        ForwardReason.Bypass => "bypass",
        ForwardReason.Method => "method",
        ForwardReason.UriMiss => "uri-miss",
        ForwardReason.VaryMiss => "vary-miss",
        ForwardReason.Miss => "miss",
        ForwardReason.Request => "request",
        ForwardReason.Stale => "stale",
        ForwardReason.Partial => "partial",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not a reason to forward."),
    };

    /// <summary>
    /// The texts of recent plain hits by their ttl. Objects of one age and lifetime come in bursts, and a second is a
    /// long time: nearly every hit finds its text here. Entries are immutable, a race costs one string.
    /// </summary>
    private static class HitTexts
    {
        private const int Slots = 4096;

        private static readonly Entry?[] Entries = new Entry?[Slots];

        internal static string Of(string cache, long ttl)
        {
            ref var slot = ref Entries[(ulong)ttl % Slots];
            if (Volatile.Read(ref slot) is { } entry && entry.Ttl == ttl && entry.Cache.Equals(cache, StringComparison.Ordinal))
                return entry.Text;
            var text = new CacheStatus { Hit = true, Ttl = ttl }.Compose(cache);
            Volatile.Write(ref slot, new Entry(cache, ttl, text));
            return text;
        }

        private sealed record Entry(string Cache, long Ttl, string Text);
    }
}

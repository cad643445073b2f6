namespace CdnEdge.Lab.Load;

/// <summary>What a request is for.</summary>
internal enum Kind
{
    /// <summary>An object that is held, and fresh throughout.</summary>
    Fresh,

    /// <summary>An object that is held, and expires again and again.</summary>
    Expiring,

    /// <summary>An object that nobody has asked for before, or just now at another node.</summary>
    Miss,
}

/// <summary>What came of a request.</summary>
/// <param name="Status">0: there was no head.</param>
/// <param name="Origin"><c>X-Origin</c>.</param>
/// <param name="Error">What is wrong with it; null: nothing, every byte is right.</param>
/// <param name="CacheStatus">As it came.</param>
/// <param name="Age">As it came.</param>
/// <param name="IsClear">It says when to ask again and which hop failed (Retry-After and Proxy-Status).</param>
internal sealed record Answered(int Status, string? Origin, string? Error, string? CacheStatus, int? Age, bool IsClear)
{
    /// <summary>Whether two caches stand in Cache-Status (RFC 9211 §2): the answer came through another node.</summary>
    internal bool IsThroughPeer => CacheStatus is { } text && text.Contains(',', StringComparison.Ordinal);
}

/// <summary>One request of the load, with its end. All moments are since the load began.</summary>
/// <param name="Kind">What it's for.</param>
/// <param name="Number">The object.</param>
/// <param name="Node">Which of the nodes was asked.</param>
/// <param name="Due">When it had to be sent: its latency counts from here, however late the client itself was.</param>
/// <param name="Ended">When its last byte came, or its failure.</param>
/// <param name="Answer">What came.</param>
internal sealed record Sample(Kind Kind, long Number, int Node, TimeSpan Due, TimeSpan Ended, Answered Answer)
{
    internal bool IsHeld => Kind != Kind.Miss;

    internal string? Error => Answer.Error;

    internal TimeSpan Latency => Ended - Due;

    /// <summary>Whether it was under way at a moment between these two.</summary>
    internal bool Spans(TimeSpan from, TimeSpan to) => Due <= to && Ended >= from;
}

namespace CdnEdge.FaultyOrigin;

/// <summary>What is wrong with the origin, as <c>POST /control/fault</c> says it. What isn't named is in order.</summary>
internal sealed record Fault
{
    internal static readonly Fault None = new();

    /// <summary>Added to each answer before its head, in milliseconds.</summary>
    public int DelayMs { get; init; }

    /// <summary>The time that an answer takes anyway (<c>--service-ms</c>) is so many times as long; at least 1.</summary>
    public double SlowFactor { get; init; } = 1;

    /// <summary>A status in place of the content, 400 to 599; 0: none.</summary>
    public int Status { get; init; }

    /// <summary>For this share of the requests, 0 to 1.</summary>
    public double StatusRate { get; init; } = 1;

    /// <summary>Doesn't listen, and breaks the connections that there are, as a process that has died.</summary>
    public bool Refuse { get; init; }

    /// <summary>Resets the connection under this share of the requests, 0 to 1.</summary>
    public double ResetRate { get; init; }

    /// <summary>After so many bytes of the body, and at the latest before its last one; -1: before the head.</summary>
    public int ResetAfter { get; init; } = -1;

    /// <summary>Never answers this share of the requests, 0 to 1.</summary>
    public double HangRate { get; init; }

    /// <summary>Sends bodies in pieces of so many bytes, with <see cref="DripMs"/> between them; 0: as fast as they go.</summary>
    public int DripBytes { get; init; }

    public int DripMs { get; init; } = 10;

    /// <summary>Listens for so many milliseconds, then refuses for <see cref="FlapDownMs"/>, and so on; 0: it doesn't flap.</summary>
    public int FlapUpMs { get; init; }

    public int FlapDownMs { get; init; } = 500;

    /// <summary>Content-Length is wrong by so many bytes. After the body the connection is closed.</summary>
    public int LengthOffset { get; init; }

    /// <summary>What can't be meant; null: nothing.</summary>
    internal string? Mistake() => this switch
    {
        { DelayMs: < 0 or > 600_000 } => "delayMs is 0 to 600000.",
        { SlowFactor: < 1 or > 1000 or double.NaN } => "slowFactor is 1 to 1000.",
        { Status: not 0 and (< 400 or > 599) } => "status is 400 to 599.",
        { StatusRate: not (>= 0 and <= 1) } => "statusRate is 0 to 1.",
        { ResetRate: not (>= 0 and <= 1) } => "resetRate is 0 to 1.",
        { ResetAfter: < -1 } => "resetAfter is -1 or more.",
        { HangRate: not (>= 0 and <= 1) } => "hangRate is 0 to 1.",
        { DripBytes: < 0 } or { DripMs: < 0 or > 600_000 } => "dripBytes is 0 or more, dripMs 0 to 600000.",
        { FlapUpMs: < 0 or > 600_000 } or { FlapDownMs: < 1 or > 600_000 } => "flapUpMs is 0 to 600000, flapDownMs 1 to 600000.",
        { Refuse: true, FlapUpMs: > 0 } => "It refuses or it flaps.",
        _ => null,
    };
}

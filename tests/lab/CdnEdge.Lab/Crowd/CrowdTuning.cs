namespace CdnEdge.Lab.Crowd;

/// <summary>How large a crowd is, and how long it's looked at.</summary>
internal sealed record CrowdTuning
{
    /// <summary>Connections that are kept and on which nothing is asked.</summary>
    internal int Idle { get; init; } = 10_000;

    /// <summary>Connections on which something is asked again and again.</summary>
    internal int Active { get; init; } = 1_000;

    /// <summary>Between an answer and the next request on an active connection.</summary>
    internal TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Until the node's code is compiled and its heap as large as the active connections make it.</summary>
    internal TimeSpan Warming { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long memory and latency are measured, before and with the idle connections. Less than a node's keep-alive timeout.</summary>
    internal TimeSpan Measuring { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>As the tests run it.</summary>
    internal static CrowdTuning Short { get; } = new()
    {
        Idle = 500,
        Active = 50,
        Warming = TimeSpan.FromSeconds(2),
        Measuring = TimeSpan.FromSeconds(2),
    };
}

namespace CdnEdge.Lab;

/// <summary>How long things take in a run, and how much there is of them.</summary>
internal sealed record Tuning
{
    /// <summary>Each phase of a scenario.</summary>
    internal TimeSpan Phase { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Requests a second, whatever comes of them.</summary>
    internal double Rate { get; init; } = 200;

    /// <summary>Objects that stay fresh throughout.</summary>
    internal int Fresh { get; init; } = 200;

    /// <summary>Objects that expire again and again, and may be used stale.</summary>
    internal int Expiring { get; init; } = 200;

    /// <summary>Freshness of the latter, in seconds.</summary>
    internal int ExpiringTtl { get; init; } = 4;

    /// <summary>Objects that have all expired when the origins return: 5 minutes' worth.</summary>
    internal int Expired { get; init; } = 3000;

    /// <summary>What a healthy origin takes for an answer.</summary>
    internal TimeSpan Service { get; init; } = TimeSpan.FromMilliseconds(10);

    internal TimeSpan SlowStart { get; init; } = TimeSpan.FromSeconds(10);

    internal TimeSpan Break { get; init; } = TimeSpan.FromSeconds(5);

    internal TimeSpan EjectionTime { get; init; } = TimeSpan.FromSeconds(10);

    internal TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>From the end of a repair to the first answer of who was repaired.</summary>
    internal TimeSpan LongestReturn { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From the start of an attempt to the head of its response.</summary>
    internal TimeSpan FirstByte { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary><c>Retries:Budget</c>.</summary>
    internal double Budget { get; init; } = 0.2;

    /// <summary><c>Retries:MinBudget</c>, in 10 seconds.</summary>
    internal int MinBudget { get; init; } = 10;

    /// <summary>As the tests run it.</summary>
    internal static Tuning Short { get; } = new()
    {
        Phase = TimeSpan.FromSeconds(2),
        Rate = 60,
        Fresh = 40,
        Expiring = 40,
        ExpiringTtl = 2,
        Expired = 200,
        SlowStart = TimeSpan.FromSeconds(1),
        Break = TimeSpan.FromSeconds(0.5),
        EjectionTime = TimeSpan.FromSeconds(1),
        ProbeInterval = TimeSpan.FromSeconds(1),
    };
}

namespace CdnEdge.Lab.Soak;

/// <summary>How long a soak is, and how much of everything there is in it.</summary>
internal sealed record SoakTuning
{
    /// <summary>All of it.</summary>
    internal TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Visits alone, until most of the node's code is compiled: then the others come, and time counts.</summary>
    internal TimeSpan Warming { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests a second of the well-behaved.</summary>
    internal double Rate { get; init; } = 200;

    /// <summary>Clients at a time of each kind that break off or attack.</summary>
    internal int Attackers { get; init; } = 2;

    /// <summary>Between an attack and the next of the same attacker.</summary>
    internal TimeSpan AttackPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest that an attacker waits on a connection that the node lets him have.</summary>
    internal TimeSpan AttackPatience { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Between two purges.</summary>
    internal TimeSpan PurgePause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary><c>Memory:MaxBytes</c>: so little that it's full early on, and what is new replaces what is old from then on.</summary>
    internal long MaxBytes { get; init; } = 64 << 20;

    /// <summary>As the tests run it.</summary>
    internal static SoakTuning Short { get; } = new()
    {
        Duration = TimeSpan.FromSeconds(20),
        Warming = TimeSpan.FromSeconds(3),
        Rate = 60,
        Attackers = 1,
        AttackPatience = TimeSpan.FromSeconds(5),
        MaxBytes = 16 << 20,
    };
}

using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Scenarios;

/// <summary>What happens, step by step, under steady load.</summary>
/// <param name="Id">A letter.</param>
/// <param name="Title">In a few words.</param>
/// <param name="Steps">In order; the first is how it is without a fault.</param>
internal sealed record Scenario(string Id, string Title, IReadOnlyList<Step> Steps)
{
    /// <summary>Everything held expires at once and is asked for at once, rather than little by little.</summary>
    internal bool ExpiresAtOnce { get; init; }
}

/// <summary>Something that happens, and the phase that follows.</summary>
/// <param name="Name">In a few words.</param>
internal sealed record Step(string Name)
{
    /// <summary>What is done to the processes at its beginning.</summary>
    internal Func<Topology, Task>? Act { get; init; }

    /// <summary>An answer that only the next source can have given, for a request after the act began; null: nothing is failed over.</summary>
    internal Func<Answered, bool>? Next { get; init; }

    /// <summary>An answer that only who has returned can have given, for a request after the act was over; null: nobody has.</summary>
    internal Func<Answered, bool>? Back { get; init; }

    /// <summary>Nobody is left who could answer a miss.</summary>
    internal bool IsGone { get; init; }

    /// <summary>No miss may fail but those that are under way at the instant of the act.</summary>
    internal bool SparesMisses { get; init; }

    /// <summary>Everything that expires is asked for once within the phase, beside the rest of the load.</summary>
    internal bool IsBurst { get; init; }
}

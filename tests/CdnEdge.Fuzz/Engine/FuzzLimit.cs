namespace CdnEdge.Fuzz.Engine;

/// <summary>How much is tried: so many inputs, or for so long.</summary>
/// <param name="Inputs">Null: as many as the time allows.</param>
/// <param name="Time">Null: as long as it takes.</param>
internal sealed record FuzzLimit(int? Inputs, TimeSpan? Time)
{
    /// <summary>One in so many is a long repetition, which costs as much as hundreds of others.</summary>
    internal int InputsPerRepetition { get; init; } = 80;

    internal bool IsReached(long inputs, TimeSpan elapsed) => inputs >= (Inputs ?? long.MaxValue) || elapsed >= (Time ?? TimeSpan.MaxValue);
}

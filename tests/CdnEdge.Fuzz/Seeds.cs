using CdnEdge.Fuzz.Engine;

namespace CdnEdge.Fuzz;

/// <summary>A seed for each target, from that of the run: one target can be run alone with the inputs that it had among all.</summary>
internal static class Seeds
{
    internal static int Of(FuzzTarget target) => target.Name.Aggregate(FuzzSettings.Seed, static (seed, c) => unchecked((seed * 31) + c)) & int.MaxValue;
}

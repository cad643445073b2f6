using CdnEdge.Fuzz.Engine;

namespace CdnEdge.Fuzz.Targets;

/// <summary>Every parser of this project.</summary>
internal static class AllTargets
{
    internal static IReadOnlyList<FuzzTarget> List { get; } =
    [
        .. FieldTargets.All(), .. KeyTargets.All(), .. RecordTargets.All(), .. UpstreamTargets.All(), .. GuardTargets.All(), .. ControlTargets.All(),
        .. HostTargets.All(), .. TlsTargets.All(), .. RelayTargets.All(), .. ViewTargets.All(),
    ];

    internal static FuzzTarget Find(string name) => List.First(target => target.Name == name);
}

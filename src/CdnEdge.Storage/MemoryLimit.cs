namespace CdnEdge.Storage;

/// <summary>The memory tier's bound where none is configured.</summary>
internal static class MemoryLimit
{
    /// <summary>The least that is worth a cache, in bytes.</summary>
    internal const long Least = 16 * 1024 * 1024;

    /// <summary>
    /// The memory that this process may use, in bytes: a limit set for the runtime (<c>DOTNET_GCHeapHardLimit</c>), else
    /// the container's, else the machine's.
    /// </summary>
    internal static long Available { get; } = Of(
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        ContainerMemory.Limit(),
        AppContext.GetData("GCHeapHardLimit") is not null
            || Environment.GetEnvironmentVariable("DOTNET_GCHeapHardLimit") is not null
            || Environment.GetEnvironmentVariable("DOTNET_GCHeapHardLimitPercent") is not null);

    /// <summary>A quarter of <see cref="Available"/>.</summary>
    internal static long Default { get; } = From(Available);

    /// <summary>A quarter of <paramref name="available"/> bytes, but at least <see cref="Least"/>.</summary>
    internal static long From(long available) => Math.Max(available / 4, Least);

    /// <param name="runtime">What .NET says is available: in a container its heap's share of the limit only.</param>
    /// <param name="container">The container's limit.</param>
    /// <param name="isLimitSet">The runtime's limit was set by somebody.</param>
    internal static long Of(long runtime, long? container, bool isLimitSet) =>
        isLimitSet ? runtime
        // .NET's share is three quarters of the limit; where it's less, something else is the tighter bound.
        : container is { } limit && runtime >= limit / 2 && runtime <= limit ? limit
        : runtime;
}

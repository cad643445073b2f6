namespace CdnEdge.Storage;

/// <summary>The memory tier's bound where none is configured.</summary>
internal static class MemoryLimit
{
    /// <summary>The least that is worth a cache, in bytes.</summary>
    internal const long Least = 16 * 1024 * 1024;

    /// <summary>
    /// A quarter of the memory that this process may use, in bytes: of the machine's or the container's (cgroup) memory, or of a smaller
    /// limit set for the runtime (<c>DOTNET_GCHeapHardLimit</c>).
    /// </summary>
    internal static long Default { get; } = From(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>A quarter of <paramref name="available"/> bytes, but at least <see cref="Least"/>.</summary>
    internal static long From(long available) => Math.Max(available / 4, Least);
}

namespace CdnEdge.Storage;

/// <summary>The memory tier's bound where none is configured.</summary>
internal static class MemoryLimit
{
    /// <summary>The least that is worth a cache, in bytes.</summary>
    internal const long Least = 16 * 1024 * 1024;

    /// <summary>
    /// A quarter, in bytes, of what the runtime says is available to it: the machine's memory, or a limit set for it
    /// (<c>DOTNET_GCHeapHardLimit</c>). Under a container's limit the runtime by default calls three quarters of that limit
    /// available, so this is then three sixteenths of the container's memory.
    /// </summary>
    internal static long Default { get; } = From(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>A quarter of <paramref name="available"/> bytes, but at least <see cref="Least"/>.</summary>
    internal static long From(long available) => Math.Max(available / 4, Least);
}

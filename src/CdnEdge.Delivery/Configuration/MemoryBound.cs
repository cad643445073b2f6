using CdnEdge.Storage;

namespace CdnEdge.Delivery.Configuration;

/// <summary>How many bytes the memory tier may use.</summary>
internal static class MemoryBound
{
    /// <summary>What the process may use at all: the machine's memory, or the container's limit.</summary>
    internal static long Available => MemoryLimit.Available;

    /// <returns>The configured bound, or a quarter of what there is.</returns>
    internal static long Of(MemoryOptions options) => options.MaxBytes ?? MemoryLimit.Default;
}

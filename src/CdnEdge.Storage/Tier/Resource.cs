using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>What is stored of one URL: its variants, newest first. Read without locks.</summary>
internal sealed class Resource
{
    private StoredResponse[] _variants = [];

    internal Resource(CacheKey key) => Key = key;

    internal CacheKey Key { get; }

    /// <summary>A snapshot; never changed in place. Empty once the resource has left the tier.</summary>
    internal StoredResponse[] Variants
    {
        get => Volatile.Read(ref _variants);
        set => Volatile.Write(ref _variants, value);
    }
}

using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>What a response says that it is.</summary>
internal static class MediaType
{
    /// <summary>Content-Type without its parameters; empty where there's none, or more than one.</summary>
    internal static ReadOnlySpan<char> Of(IHeaderDictionary headers)
    {
        if (headers.ContentType is not [{ } value])
            return default;
        var end = value.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? value : value.AsSpan(0, end)).Trim(" \t");
    }
}

using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The media type that a Content-Type names (RFC 9110 §8.3.1).</summary>
internal static class MediaType
{
    /// <summary>Content-Type without its parameters; empty where there's none, or more than one.</summary>
    internal static ReadOnlySpan<char> Of(StringValues contentType) => contentType is [{ } value] ? Of(value.AsSpan()) : default;

    /// <inheritdoc cref="Of(StringValues)"/>
    internal static ReadOnlySpan<char> Of(ReadOnlySpan<char> contentType)
    {
        var end = contentType.IndexOf(';');
        return (end < 0 ? contentType : contentType[..end]).Trim(" \t");
    }
}

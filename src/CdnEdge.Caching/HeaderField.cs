using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>A field of a message head: its name and its lines, in order.</summary>
/// <param name="Name">The name; interned where it's a well-known one.</param>
/// <param name="Value">One value per field line.</param>
internal readonly record struct HeaderField(string Name, StringValues Value);

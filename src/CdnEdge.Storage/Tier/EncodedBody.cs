using CdnEdge.Caching;

namespace CdnEdge.Storage;

/// <summary>The body of a stored response in another coding than it came in; or that there's none, yet or at all.</summary>
/// <param name="coding">The coding, as Content-Encoding has it.</param>
/// <param name="body">The body; takes over one reference to it. Null: it's being made, or was given up.</param>
/// <param name="etag">Its own entity tag; null: the response has none.</param>
internal sealed class EncodedBody(string coding, StoredBody? body = null, EntityTag? etag = null)
{
    /// <summary>Stands for every coding: the body can't be had in another.</summary>
    internal const string AnyCoding = "*";

    internal string Coding => coding;

    internal StoredBody? Body => body;

    internal EntityTag? ETag => etag;

    /// <summary>Managed memory that it takes, in bytes.</summary>
    internal int ManagedBytes =>
        ManagedSize.EncodedBody + (body?.ManagedBytes ?? 0) + (etag is { } tag ? Caching.ManagedSize.OfString(tag.Text) : 0);

    internal bool IsIn(string other) => coding == other || coding == AnyCoding;
}

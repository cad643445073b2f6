namespace CdnEdge.Caching;

/// <summary>A range of a representation's bytes.</summary>
/// <param name="Offset">First byte, from 0.</param>
/// <param name="Length">How many bytes, at least 1.</param>
internal readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>The byte after the last.</summary>
    internal long End => Offset + Length;
}

namespace CdnEdge.Storage;

/// <summary>
/// What bookkeeping takes on the managed heap of a 64-bit runtime, in bytes, so that it can be counted against the memory
/// tier's bound: 16 bytes of header per object, 24 per array, fields aligned to 8. A test compares the sums with the heap.
/// </summary>
internal static class ManagedSize
{
    internal const int GrowingBody = 88;

    /// <summary>An element of a growing body's list: start, slab, units.</summary>
    internal const int PlacedSegment = 24;

    /// <summary>The object, its collection of held ranges and their number.</summary>
    internal const int PartialBody = 72 + 24;
    internal const int PartialPiece = 32;
    internal const int ByteRange = 16;
    internal const int StoredResponse = 112;

    /// <summary>A body in another coding, without the body: the object and a list of one.</summary>
    internal const int EncodedBody = 56 + 32;
    internal const int Resource = 32;

    /// <summary>A slot of the index: tag and reference.</summary>
    internal const int IndexSlot = 16;
    internal const int Reference = 8;

    /// <summary>An array of <paramref name="length"/> elements of <paramref name="element"/> bytes.</summary>
    internal static int Array(int length, int element) => 24 + (((length * element) + 7) & ~7);
}

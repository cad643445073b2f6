using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>A range of a representation's bytes.</summary>
/// <param name="Offset">First byte, from 0.</param>
/// <param name="Length">How many bytes, at least 1.</param>
internal readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>The byte after the last.</summary>
    internal long End => Offset + Length;
}

/// <summary>What a Range field comes to for a representation of known length.</summary>
internal enum RangeOutcome
{
    /// <summary>Absent, malformed, another unit, or too many or overlapping ranges: answer with the whole (RFC 9110 §14.2).</summary>
    Ignore,
    /// <summary>416.</summary>
    Unsatisfiable,
    /// <summary>One or several ranges.</summary>
    Satisfiable,
}

/// <summary>The Range field (RFC 9110 §14).</summary>
internal static class RangeField
{
    /// <summary>Most ranges honoured in one request (more is the whole representation: CVE-2011-3192).</summary>
    internal const int MaxRanges = 16;

    /// <summary>Resolves against <paramref name="length"/> bytes. Overlapping and adjacent ranges are coalesced.</summary>
    internal static RangeOutcome Resolve(StringValues range, long length, out ByteRange[] ranges) => throw new NotImplementedException();

    /// <summary>
    /// A single range whose ends don't need the length: <c>bytes=a-b</c> or <c>bytes=a-</c> (<paramref name="last"/> null) or
    /// <c>bytes=-n</c> (<paramref name="first"/> null). False for anything else.
    /// </summary>
    internal static bool TryParseSingle(StringValues range, out long? first, out long? last) => throw new NotImplementedException();
}

/// <summary>The Content-Range field of a single-part 206 or a 416 (RFC 9110 §14.4).</summary>
/// <param name="Range">The enclosed bytes.</param>
/// <param name="CompleteLength">The representation's length; null when <c>*</c>.</param>
internal readonly record struct ContentRange(ByteRange Range, long? CompleteLength)
{
    internal static bool TryParse(StringValues value, out ContentRange contentRange) => throw new NotImplementedException();
    internal static string Format(ByteRange range, long completeLength) => throw new NotImplementedException();
    internal static string FormatUnsatisfied(long completeLength) => throw new NotImplementedException();
}

/// <summary>The framing of a multipart/byteranges body (RFC 9110 §14.6); the bytes between come from the stored body.</summary>
internal sealed class MultipartByteRanges
{
    internal MultipartByteRanges(ByteRange[] ranges, long completeLength, string? contentType) => throw new NotImplementedException();
    /// <summary>Value of Content-Type, with an unguessable boundary.</summary>
    internal string ContentType => throw new NotImplementedException();
    /// <summary>Exact length of the whole body in bytes.</summary>
    internal long ContentLength => throw new NotImplementedException();
    internal ByteRange[] Ranges => throw new NotImplementedException();
    /// <summary>What stands before the bytes of part <paramref name="index"/>.</summary>
    internal ReadOnlyMemory<byte> PartHeader(int index) => throw new NotImplementedException();
    /// <summary>What stands after the last part.</summary>
    internal ReadOnlyMemory<byte> Trailer => throw new NotImplementedException();
}

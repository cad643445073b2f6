using System.Buffers;
using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Delivery.Compression;

/// <summary>What came of compressing a body.</summary>
internal enum EncodingResult
{
    /// <summary>It's there.</summary>
    Done,

    /// <summary>It would hardly be smaller.</summary>
    NoGain,

    /// <summary>The origin's coding couldn't be undone within bounds.</summary>
    Refused,

    /// <summary>Nobody has a use for it any more, or there's no room for it.</summary>
    Gone,

    /// <summary>The provider failed.</summary>
    Failed,
}

/// <summary>What came of compressing a body.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Refusal">Why the origin's coding couldn't be undone; null where that's not how it ended.</param>
internal readonly record struct EncodingOutcome(EncodingResult Result, string? Refusal = null);

/// <summary>Compresses stored bodies.</summary>
internal static class BodyEncoder
{
    /// <summary>Where less than a twentieth is saved it isn't worth the memory, nor the client's time.</summary>
    private const int WorthwhilePercent = 95;

    private const int PieceBytes = 64 * 1024;

    /// <summary>The most bytes that a compressed body may have.</summary>
    internal static long LimitFor(StoredBody body) => body.Length * WorthwhilePercent / 100;

    /// <summary>Compresses a body; in pieces, so that it ends soon where nobody wants it any more.</summary>
    /// <param name="body">The body; the caller holds a reference.</param>
    /// <param name="verdict">How it's stored, and what bounds it.</param>
    /// <param name="coding">The coding to make.</param>
    /// <param name="providers">Who makes it.</param>
    /// <param name="output">Takes it.</param>
    /// <param name="isWanted">Asked between two pieces.</param>
    internal static EncodingOutcome Encode(
        StoredBody body, CodingVerdict verdict, string coding, CompressionProviders providers, EncodedOutput output, Func<bool> isWanted)
    {
        using var source = new StoredBodyStream(body);
        using var decoding = verdict.StoredCoding is { } stored ? Decoding.Of(stored, body, verdict.Plan.MaxBytes) : null;
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            using var encoder = providers.Open(coding, output, decoding?.LikelyBytes ?? body.Length);
            while ((decoding?.Read(piece) ?? source.Read(piece)) is > 0 and var read)
            {
                encoder.Write(piece, 0, read);
                if (output.IsOver || !isWanted())
                {
                    break;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return !isWanted() ? new EncodingOutcome(EncodingResult.Gone)
            : decoding?.Refusal is { } refusal ? new EncodingOutcome(EncodingResult.Refused, refusal)
            : new EncodingOutcome(output.IsOver ? EncodingResult.NoGain : EncodingResult.Done);
    }
}

using CdnEdge.Storage;

namespace CdnEdge.Delivery.Compression;

/// <summary>A body in its origin's coding, decoded piece by piece, as long as it's what a website's body may be.</summary>
/// <remarks>
/// A few bytes of a coded body may stand for any number of others ("decompression bomb"). No more of them are ever in memory than the
/// decoder's window, and it ends where a bound is passed. What ends before its own end is never taken for whole: compressed anew it
/// would look like that to clients.
/// </remarks>
/// <param name="maxBytes">The most that may come of it.</param>
internal abstract class Decoding(long maxBytes) : IDisposable
{
    /// <summary>How many times the coded bytes may come of them: text seldom gets to 30, a log full of repetitions to 100.</summary>
    private const int MaxRatio = 250;

    /// <summary>How many times the coded bytes most bodies are.</summary>
    private const int LikelyRatio = 8;

    private long _decoded;

    /// <summary>About how many bytes will come, rather too many than too few: for who takes more time for fewer.</summary>
    internal long LikelyBytes { get; init; }

    /// <summary>Why it isn't decoded to its end; null as long as it is.</summary>
    internal string? Refusal { get; private set; }

    /// <summary>Begins; the reference on the body is the caller's.</summary>
    internal static Decoding Of(string coding, StoredBody body, long maxBytes)
    {
        maxBytes = Math.Min(maxBytes, body.Length * MaxRatio);
        var likely = Math.Min(maxBytes, body.Length * LikelyRatio);
        return coding switch
        {
            "gzip" => new GzipDecoding(body, maxBytes) { LikelyBytes = likely },
            "br" => new BrotliDecoding(body, maxBytes) { LikelyBytes = likely },
            "zstd" => new ZstdDecoding(body, maxBytes) { LikelyBytes = likely },
            _ => throw new ArgumentOutOfRangeException(nameof(coding), coding, "Not a coding that is decoded here."),
        };
    }

    /// <summary>The next bytes; 0 at the end, and where it's refused.</summary>
    internal int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = ReadNext(buffer);
        }
        catch (InvalidDataException exception)
        {
            Refusal = $"can't be decompressed: {exception.Message}";
            return 0;
        }

        _decoded += read;
        if (_decoded > maxBytes)
        {
            Refusal = $"decompresses to more than {maxBytes} bytes";
            return 0;
        }

        return read;
    }

    public abstract void Dispose();

    /// <summary>The next bytes; 0 at the end.</summary>
    /// <exception cref="InvalidDataException">It isn't what it's said to be, or not all of it.</exception>
    protected abstract int ReadNext(Span<byte> buffer);
}

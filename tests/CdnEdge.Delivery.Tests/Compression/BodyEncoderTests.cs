using System.IO.Compression;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>What becomes of the bytes, and what bounds it.</summary>
public sealed class BodyEncoderTests : IDisposable
{
    private readonly SegmentArena _arena = new();

    public void Dispose() => _arena.Dispose();

    public static TheoryData<string, int> CodingsAndSizes => new(
        from coding in new[] { "br", "zstd", "gzip" }
        from size in new[] { 1, 1024, 70_000, 300_000, 1_100_000, 3_000_000 }
        select (coding, size));

    [Theory]
    [MemberData(nameof(CodingsAndSizes))]
    public void What_is_compressed_is_what_was_stored(string coding, int size)
    {
        var text = Text(size);

        var (outcome, coded) = Encode(text, null, coding, limit: long.MaxValue);

        Assert.Equal(EncodingResult.Done, outcome.Result);
        Assert.Equal(text, Answer.Decode(coded, coding));
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Theory]
    [MemberData(nameof(CodingsAndSizes))]
    public void What_is_made_again_is_the_same_to_the_byte(string coding, int size)
    {
        // What was evicted and is made anew has the strong tag that it had (RFC 9110 §8.8.1).
        var text = Text(size);

        var (_, first) = Encode(text, null, coding, limit: long.MaxValue);
        Encode(Text(size / 2 + 1), null, coding, limit: long.MaxValue);
        var (_, again) = Encode(text, null, coding, limit: long.MaxValue);

        Assert.Equal(first, again);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("gzip")]
    public void It_is_compressed_well(string coding)
    {
        var text = Text(200_000);
        using var quick = new MemoryStream();
        using (var gzip = new GZipStream(quick, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(text);

        var (_, coded) = Encode(text, null, coding);

        Assert.InRange(coded.Length, 1, quick.Length);
    }

    [Fact]
    public void Every_client_has_the_window_that_zstd_takes()
    {
        // RFC 9659: at most 8 MiB, though what is compressed is larger.
        var text = Text(9 << 20);
        var (outcome, coded) = Encode(text, null, "zstd");
        Assert.Equal(EncodingResult.Done, outcome.Result);

        using var decoder = new DecompressionStream(new MemoryStream(coded));
        decoder.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, 23);
        using var decoded = new MemoryStream();
        decoder.CopyTo(decoded);

        Assert.Equal(text.Length, decoded.Length);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void What_the_origin_has_compressed_is_compressed_anew(string stored)
    {
        var text = Text(300_000);

        var (outcome, coded) = Encode(Coded(stored, stream => stream.Write(text)), stored, stored == "zstd" ? "br" : "zstd", limit: long.MaxValue);

        Assert.Equal(EncodingResult.Done, outcome.Result);
        Assert.Equal(text, Answer.Decode(coded, stored == "zstd" ? "br" : "zstd"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void A_bomb_is_given_up_at_the_bound(string stored)
    {
        // 256 mebibytes of zeros.
        var bomb = Coded(stored, static stream =>
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 256; i++)
                stream.Write(zeros);
        });
        var before = GC.GetAllocatedBytesForCurrentThread();

        var (outcome, _) = Encode(bomb, stored, "zstd", maxBytes: 10 << 20, limit: long.MaxValue);

        Assert.Equal(EncodingResult.Refused, outcome.Result);
        Assert.Contains("decompresses to more than", outcome.Refusal, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void So_is_what_grows_too_much_though_it_stays_below(string stored)
    {
        var (outcome, _) = Encode(Coded(stored, static stream => stream.Write(new byte[5 << 20])), stored, "zstd", maxBytes: 10 << 20, limit: long.MaxValue);

        Assert.Equal(EncodingResult.Refused, outcome.Result);
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("br", true)]
    [InlineData("zstd", true)]
    [InlineData("gzip", false)]
    [InlineData("zstd", false)] // nothing in Brotli would tell
    public void What_is_broken_is_never_taken_for_whole(string stored, bool isCutOff)
    {
        var coded = Coded(stored, stream => stream.Write(Text(100_000)));
        if (isCutOff)
            coded = coded[..(coded.Length / 2)];
        else
            coded.AsSpan(coded.Length / 3, 20).Fill(0xA5);

        var (outcome, _) = Encode(coded, stored, stored == "br" ? "zstd" : "br", limit: long.MaxValue);

        Assert.Equal(EncodingResult.Refused, outcome.Result);
        Assert.Contains("can't be decompressed", outcome.Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public void Nor_is_what_something_follows(string stored)
    {
        var coded = Coded(stored, static stream => stream.Write(Text(10_000)));

        var (outcome, _) = Encode([.. coded, .. coded], stored, "zstd", limit: long.MaxValue);

        Assert.Equal(EncodingResult.Refused, outcome.Result);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    public void Nor_what_lacks_but_its_last_bytes(int missing)
    {
        var coded = Coded("gzip", static stream => stream.Write(Text(10_000)));

        Assert.Equal(EncodingResult.Refused, Encode(coded[..^missing], "gzip", "br", limit: long.MaxValue).Outcome.Result);
    }

    [Fact]
    public void It_ends_where_nobody_wants_it_any_more()
    {
        var asked = 0;

        var (outcome, _) = Encode(Text(1_000_000), null, "gzip", isWanted: () => ++asked < 3);

        Assert.Equal(EncodingResult.Gone, outcome.Result);
        Assert.InRange(asked, 3, 5);
    }

    private (EncodingOutcome Outcome, byte[] Coded) Encode(
        byte[] bytes, string? stored, string coding, long maxBytes = 64 << 20, long? limit = null, Func<bool>? isWanted = null)
    {
        var body = GrowingBody.Create(_arena, bytes.Length);
        body.Append(bytes);
        body.Seal();
        var output = new EncodedOutput(limit ?? BodyEncoder.LimitFor(body));
        var outcome = BodyEncoder.Encode(body, Verdict(stored, maxBytes), coding, CompressionProviders.BuiltIn, output, isWanted ?? (static () => true));
        body.Release();
        var made = output.ToBody(_arena);
        var coded = new byte[made.Length];
        for (var offset = 0; offset < coded.Length;)
        {
            var run = made.Read(offset, coded.Length);
            run.Span.CopyTo(coded.AsSpan(offset));
            offset += run.Length;
        }

        made.Release();
        output.Discard();
        return (outcome, coded);
    }

    private static CodingVerdict Verdict(string? stored, long maxBytes)
    {
        var policy = new CachePolicy { Compression = { Recompress = true, MaxBytes = maxBytes } };
        var headers = new HeaderDictionary { ["Content-Type"] = "text/plain", ["Cache-Control"] = "max-age=60" };
        if (stored is not null)
            headers["Content-Encoding"] = stored;
        var directives = ResponseDirectives.Parse(headers, policy);
        var now = DateTimeOffset.UnixEpoch;
        var head = StoredHead.Create(200, headers, new HeaderDictionary(), directives, Freshness.Of(200, headers, directives, policy, now, now), policy);
        return head.CodingsUnder(policy.Compression.Plan);
    }

    private static byte[] Coded(string coding, Action<Stream> write)
    {
        using var coded = new MemoryStream();
        using (Stream encoder = coding switch
        {
            "gzip" => new GZipStream(coded, CompressionLevel.SmallestSize, leaveOpen: true),
            "br" => new BrotliStream(coded, CompressionLevel.Optimal, leaveOpen: true),
            _ => ChecksummedZstd(coded),
        })
        {
            write(encoder);
        }

        return coded.ToArray();
    }

    private static CompressionStream ChecksummedZstd(Stream output)
    {
        var stream = new CompressionStream(output, 3, leaveOpen: true);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return stream;
    }

    /// <summary>Words in an order that doesn't repeat soon.</summary>
    private static byte[] Text(int size)
    {
        string[] words = ["the ", "edge ", "keeps ", "what ", "it ", "may ", "and ", "compresses ", "once, ", "in ", "background.\n", "<p>", "</p>\n", "class=\"x\" "];
        var random = new Random(7);
        var text = new StringBuilder(size + 16);
        while (text.Length < size)
            text.Append(words[random.Next(words.Length)]);
        return Encoding.Latin1.GetBytes(text.ToString(0, size));
    }
}

using System.Buffers;
using System.IO.Compression;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Delivery.Compression;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Storage;
using CdnEdge.Storage.Redis;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What stands in Redis and in files, and what origins have compressed: bytes that may be anybody's.</summary>
internal static class RecordTargets
{
    private static readonly KeyRing Ring = KeyRing.Read(
        new RedisOptions { Keys = new Dictionary<string, string> { ["k1"] = Convert.ToBase64String(new byte[KeyRing.KeyBytes]) } }, new PolicyErrors("Redis"))!;

    private static readonly Sealing[] Sealings = [new(Ring), new(KeyRing.Plaintext)];
    private static readonly byte[] ObjectId = [.. Enumerable.Range(0, Sealing.ObjectIdBytes).Select(static i => (byte)i)];
    private static readonly byte[][] Sealed = [.. Sealings.Select(static sealing => sealing.Seal(RedisRecord.Response, ObjectId, 0, "place"u8, "what is inside"u8))];

    private const int MostDecoded = 100_000;

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("response-head", Head) { Words = HeadWords, Inputs = 2000, BytesPerByte = 600 },
        new("head-record", HeadOfRecord) { Seeds = HeadRecords, BytesPerByte = 200 },
        new("redis-record", Record) { Seeds = Records, FreeBytes = 256 * 1024, BytesPerByte = 200 },
        new("redis-vary", Vary) { Seeds = static () => [RedisRecord.WriteVary([SelectorName.OfHeader("accept-encoding"), SelectorName.OfHeader("x-odd"), SelectorName.OfCookie("a")])] },
        new("packed-body", Body) { Seeds = Bodies, FreeBytes = 512 * 1024, Inputs = 1000 },
        new("coded-body", CodedBody) { Seeds = CodedBodies, FreeBytes = 512 * 1024, Inputs = 1000 },
        new("sealed-value", Value) { Seeds = static () => Sealed },
        new("purge-moment", Moment) { Words = ["-", "1732550000000", "0", "8796093022207", "1048575"] },
        new("key-ring", Keys) { Words = ["k1 ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "\n", "#", "\t"], Inputs = 1000, BytesPerByte = 400 },
    ];

    private static readonly string[] HeadWords =
    [
        "Cache-Control: ", "max-age=60", "s-maxage=5", "stale-while-revalidate=9", "no-cache=\"x\"", "\n\n", "\n", "ETag: \"a\"", "Vary: Accept-Encoding", "Date: Thu, 26 Nov 2026 11:59:00 GMT",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "Expires: 0", "Age: 3", "Surrogate-Key: a b", "Cache-Groups: \"g\"", "Set-Cookie: a=b", "Connection: close, x", "Accept-Encoding: gzip",
        "Content-Encoding: gzip", "CDN-Cache-Control: max-age=7", "Authorization: x", "Pragma: no-cache", "Content-Range: bytes 0-4/10", "Content-Length: 5",
    ];

    /// <summary>A whole response: judged, stored, kept elsewhere, validated.</summary>
    private static int Head(byte[] input)
    {
        var (request, response) = Given.Exchange(input);
        var directives = ResponseDirectives.Parse(response, Given.Plain);
        var freshness = Freshness.Of(200, response, directives, Given.Plain, Given.Now.AddSeconds(-1), Given.Now);
        Claim.Holds(freshness.Lifetime >= TimeSpan.Zero && freshness.InitialAge >= TimeSpan.Zero && freshness.Age(Given.Now) >= TimeSpan.Zero);
        var asked = RequestDirectives.Parse(request);
        var reason = Storability.Decide("GET", null, request, in asked, 200, response, directives, in freshness, Given.Plain);
        var head = StoredHead.Create(200, response, request, directives, freshness, Given.Plain);
        Claim.Holds(!head.Fields.Any(static field => field.Name.Equals("Connection", StringComparison.OrdinalIgnoreCase)) && head.ManagedBytes >= 0);

        var kept = ReadHead(Written(head));
        Claim.Holds(kept is null == !CanBeKept(head));
        Claim.Holds(kept is null || Written(kept).AsSpan().SequenceEqual(Written(head)));
        _ = head.Freshen(response, Given.Plain, Given.Now, Given.Now.AddSeconds(1));
        return ((int)reason << 8) | ((int)Reuse.Decide(head, asked, false, Given.Now.AddSeconds(30)) << 4) | (int)freshness.Source;
    }

    // Kestrel and SocketsHttpHandler let no such value come so far, and hardly so many.
    private static bool CanBeKept(StoredHead head) =>
        head.Fields.Concat(head.Withheld).All(static field =>
            field.Value.Count <= HeadRecord.MaxFields && field.Value.All(static line => !line.AsSpan().ContainsAny('\r', '\n', '\0')))
        && Math.Max(head.Fields.Length, head.Withheld.Length) <= HeadRecord.MaxFields
        && Math.Max(head.Directives.NoCacheFields.Count, head.Directives.PrivateFields.Count) <= HeadRecord.MaxFields
        && CacheableStatus.IsEverStored(head.Status);

    private static int HeadOfRecord(byte[] input)
    {
        if (ReadHead(input) is not { } head)
            return 0;
        Use(head);

        // What is written of it reads as the same.
        var written = Written(head);
        Claim.Holds(ReadHead(written) is { } again && Written(again).AsSpan().SequenceEqual(written));
        return 1 + Math.Min(head.Fields.Length, 20) + ((int)head.Freshness.Source << 8) + (head.Variance.IsStar ? 1 << 16 : 0) + (Math.Min(head.Variance.Names.Count, 8) << 18);
    }

    /// <summary>All arithmetic that the times of a record go through.</summary>
    private static void Use(StoredHead head)
    {
        foreach (var now in new[] { DateTimeOffset.MinValue, Given.Now, DateTimeOffset.MaxValue })
        {
            _ = head.Freshness.Remaining(now);
            Claim.Holds(head.Freshness.FetchedAgo(now) >= TimeSpan.Zero && head.Freshness.Age(now) >= TimeSpan.Zero);
            _ = head.StaleSince(now);
            _ = Reuse.Decide(head, default, hasAuthorization: true, now);
            _ = Reuse.MayServeOnError(head, default, disconnected: true, now);
        }

        _ = head.Variance.Matches(Given.Plain, Given.Fields("Accept-Encoding: gzip\nAccept-Language: de"));
        Claim.Holds(head.Variance.IsReplacedBy(head.Variance));
        Claim.Holds(head.ManagedBytes >= 0);
    }

    private static int Record(byte[] input)
    {
        if (RedisRecord.Read(input) is not { } record)
            return 0;
        Use(record.Head);

        // The body's chunks are asked for by name, all at once: a record mustn't claim more than is ever stored.
        Claim.Holds(RedisRecord.ChunksOf(record.Length) is >= 0 and <= 2048);
        Claim.Holds(record.Length < 0 || record.Length > RedisRecord.InlineBytes || record.Inline.Length == record.Length);
        return record.Length < 0 ? 1 : record.Length <= RedisRecord.InlineBytes ? 2 : 3;
    }

    private static int Vary(byte[] input)
    {
        if (RedisRecord.ReadVary(input) is not { } names)
            return 0;
        Claim.Holds(RedisRecord.ReadVary(RedisRecord.WriteVary(names))!.SequenceEqual(names));
        return 1 + Math.Min(names.Length, 20);
    }

    private static int Body(byte[] input)
    {
        var outcome = 0;
        foreach (var length in new[] { 0, 1, 2000, RedisRecord.ChunkBytes })
        {
            var isThere = Packing.TryUnpack(input, length, out var bytes);
            Claim.Holds(!isThere || bytes.Length == length);
            outcome = (outcome << 1) | (isThere ? 1 : 0);
        }

        byte[] run = [0, .. input];
        var packed = Packing.Pack(run, compresses: true);
        Claim.Holds(Packing.TryUnpack(packed, input.Length, out var back) && back.Span.SequenceEqual(input));
        return outcome;
    }

    /// <summary>What an origin calls gzip, Brotli or zstd, where it's compressed anew.</summary>
    private static int CodedBody(byte[] input)
    {
        var outcome = 0;
        using var arena = new SegmentArena();
        var body = GrowingBody.Create(arena, input.Length);
        body.Append(input);
        body.Seal();
        foreach (var coding in new[] { "gzip", "br", "zstd" })
        {
            using var decoding = Decoding.Of(coding, body, MostDecoded);
            var piece = new byte[4096];
            long decoded = 0;
            while (decoding.Read(piece) is > 0 and var read)
                decoded += read;
            Claim.Holds(decoded <= Math.Min(MostDecoded, input.Length * 250L));
            outcome = (outcome << 3) | (decoding.Refusal is null ? 1 : 0) | (decoded == 0 ? 0 : decoded < 256 ? 2 : 4);
        }

        body.Release();
        return outcome;
    }

    /// <summary>Whole ones, and bombs.</summary>
    private static IEnumerable<byte[]> CodedBodies()
    {
        foreach (var content in new[] { Encoding.ASCII.GetBytes("what is inside"), new byte[1000], new byte[MostDecoded * 2] })
        {
            foreach (var coding in CompressionProviders.BuiltIn.Codings.Order(StringComparer.Ordinal))
            {
                using var coded = new MemoryStream();
                using (var encoder = CompressionProviders.BuiltIn.Open(coding, coded, content.Length))
                    encoder.Write(content);
                yield return coded.ToArray();
            }
        }
    }

    /// <summary>What opens is what was sealed: anything else would be a forgery.</summary>
    private static int Value(byte[] input)
    {
        var outcome = (int)Sealing.KindOf(input);
        for (var i = 0; i < Sealings.Length; i++)
        {
            var fault = Sealings[i].Open((byte[])[.. input], RedisRecord.Response, default, 0, "place"u8, out var id, out var opened);
            Claim.Holds(fault == SealFault.None == input.AsSpan().SequenceEqual(Sealed[i]));
            Claim.Holds(fault != SealFault.None || (opened.Span.SequenceEqual("what is inside"u8) && id.AsSpan().SequenceEqual(ObjectId)));
            Claim.Holds(Sealings[i].Open((byte[])[.. input], RedisRecord.Response, default, 0, "elsewhere"u8, out _, out _) != SealFault.None);
            outcome = (outcome * 8) + (int)fault;
        }

        return outcome;
    }

    private static int Moment(byte[] input)
    {
        if (!PurgeMoment.TryParse(Given.Text(input), out var moment))
            return 0;
        Claim.Holds(moment >= 0 && PurgeMoment.TryParse(PurgeMoment.Format(moment), out var again) && again == moment);
        return moment == 0 ? 1 : 2;
    }

    private static int Keys(byte[] input)
    {
        using var file = new ScratchFile(input);
        var errors = new PolicyErrors("CdnEdge:Redis");
        var ring = KeyRing.Read(new RedisOptions { KeyFile = file.Path }, errors);
        Claim.Holds(ring is null == errors.All.Count > 0);
        Claim.Holds(ring is null || ring.Find(ring.ActiveId) is { Length: KeyRing.KeyBytes });
        return Math.Min(errors.All.Count, 5);
    }

    private static byte[] Written(StoredHead head)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        HeadRecord.Write(head, new RecordWriter(bytes));
        return bytes.WrittenSpan.ToArray();
    }

    private static StoredHead? ReadHead(byte[] bytes)
    {
        var from = new RecordReader(bytes);
        return HeadRecord.Read(ref from);
    }

    private static IEnumerable<StoredHead> Heads()
    {
        foreach (var text in new[]
        {
            "\n\nCache-Control: max-age=60\nETag: \"a\"\nContent-Type: text/html",
            "Accept-Encoding: gzip, br\nAccept-Language: de, en;q=0.5\nX-Odd: 1\n\nVary: Accept-Encoding, Accept-Language, X-Odd\nContent-Encoding: br\nContent-Language: de\nSurrogate-Key: a b\nCache-Groups: \"g\"",
            "\n\nVary: *\nCDN-Cache-Control: max-age=5, private=\"x\"\nLink: </a>\nLink: </b>",
        })
        {
            var (request, response) = Given.Exchange(Encoding.Latin1.GetBytes(text));
            var directives = ResponseDirectives.Parse(response, Given.Plain);
            var freshness = Freshness.Of(200, response, directives, Given.Plain, Given.Now, Given.Now);
            yield return StoredHead.Create(200, response, request, directives, freshness, Given.Plain);
        }
    }

    private static IEnumerable<byte[]> HeadRecords() => Heads().Select(Written);

    private static IEnumerable<byte[]> Records()
    {
        foreach (var head in Heads())
        {
            yield return RedisRecord.Write(head, 7, -1, []);
            yield return RedisRecord.Write(head, 7, 3, [0, 1, 2, 3]);
            yield return RedisRecord.Write(head, 7, 1000, Packing.Pack(new byte[1001], compresses: true).Span);
            yield return RedisRecord.Write(head, 7, 1 << 20, []);
        }
    }

    private static IEnumerable<byte[]> Bodies()
    {
        yield return [0, 1];
        yield return Packing.Pack(new byte[2001], compresses: true).ToArray();
        yield return Packing.Pack(new byte[RedisRecord.ChunkBytes + 1], compresses: true).ToArray();

        // More than is due: 64 MiB of zeros in a few bytes.
        var bomb = new byte[4096];
        bomb[0] = 1;
        BrotliEncoder.TryCompress(new byte[64 << 20], bomb.AsSpan(1), out var written, 4, 22);
        yield return bomb[..(written + 1)];
    }
}

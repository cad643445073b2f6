using System.Buffers;
using CsCheck;

namespace CdnEdge.Caching.Tests.Records;

public class HeadRecordTests
{
    private static readonly Gen<string[]> ResponseLines = Gen.Select(
        Gen.OneOfConst(
            "", "max-age=60", "s-maxage=5, stale-while-revalidate=9", "public, max-age=0, stale-if-error=7", "no-cache", "no-cache=\"x-a\", max-age=9",
            "private=\"x-b\", max-age=3", "max-age=9, must-revalidate", "no-store, must-understand", "max-age=99999999999", "no-transform, proxy-revalidate"),
        Gen.OneOfConst("", "max-age=70", "no-store", "s-maxage=\"x\""),
        Gen.OneOfConst("", "Accept-Encoding", "accept-language, X-Odd", "Cookie", "*", "X-Odd, Accept-Encoding, Origin", "a b"),
        Gen.OneOfConst("", "\"a\"", "W/\"b\"", " bare ", "two words"),
        Gen.OneOfConst("", "gzip", "br", "gzip, br", "odd"),
        Gen.OneOfConst("", "en", "de-AT", "de, en"),
        Gen.OneOfConst("", Given.Date(-500), "Sunday, 06-Nov-94 08:49:37 GMT", "never"),
        Gen.OneOfConst("", "a b a", "c", "\u00fc\u00ff"),
        (cacheControl, targeted, vary, etag, coding, language, date, tags) => Present(
            ("Cache-Control", cacheControl), ("CdnEdge-CDN-Cache-Control", targeted), ("Vary", vary), ("ETag", etag), ("Content-Encoding", coding),
            ("Content-Language", language), ("Date", date), ("Last-Modified", date), ("Surrogate-Key", tags), ("Cache-Groups", "\"g\", \"h\""),
            ("Age", "3"), ("X-Text", "\u00e4\u20ac\ud800"), ("X-A", "1"), ("X-B", "1"), ("Link", "</a>"), ("Link", "</b>"), ("X-Empty", " ")));

    private static readonly Gen<string[]> RequestLines = Gen.Select(
        Gen.OneOfConst("", "gzip", "br, gzip;q=0.5", "odd", "*", "gzip, br, zstd"),
        Gen.OneOfConst("", "en, de", "de;q=0.5", "no list=", "de-AT, en;q=0.1"),
        Gen.OneOfConst("", "a=1; b=2", "a=1"),
        Gen.OneOfConst("", "x", "\u20ac", "y, z"),
        (codings, languages, cookies, odd) => Present(("Accept-Encoding", codings), ("Accept-Language", languages), ("Cookie", cookies), ("X-Odd", odd)));

    private static readonly Gen<CachePolicy> Policies = Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, (hasKey, hasWindows, overrides, strips) => new CachePolicy
    {
        Key = hasKey ? new KeyPolicy { Headers = ["X-Odd"], Cookies = ["a"] } : new KeyPolicy(),
        StaleWhileRevalidate = hasWindows ? TimeSpan.FromSeconds(11) : null,
        StaleIfError = hasWindows ? TimeSpan.FromSeconds(12) : null,
        OverrideCacheControl = overrides ? "max-age=17" : null,
        MaxTtl = hasWindows ? TimeSpan.FromDays(3) : null,
        StripTagFields = strips,
    });

    [Fact]
    public void What_was_written_answers_every_request_as_before() =>
        Gen.Select(ResponseLines, RequestLines, RequestLines, Policies, Gen.OneOfConst("", "no-cache", "max-age=5", "max-stale=100", "min-fresh=3"), Gen.Int[0, 100])
            .Sample((response, request, later, policy, cacheControl, seconds) =>
            {
                var before = Stored(policy, response, request);
                var after = Read(Written(before))!;
                var now = Given.Now.AddSeconds(seconds);
                var asked = Given.Request(cacheControl.Length == 0 ? null : cacheControl);
                var headers = Fields.Of(later);

                Assert.Equal(Reuse.Decide(before, asked, false, now), Reuse.Decide(after, asked, false, now));
                Assert.Equal(Reuse.Decide(before, asked, true, now), Reuse.Decide(after, asked, true, now));
                Assert.Equal(Reuse.MayServeOnError(before, asked, true, now), Reuse.MayServeOnError(after, asked, true, now));
                Assert.Equal(Reuse.MayServeOnError(before, asked, false, now), Reuse.MayServeOnError(after, asked, false, now));
                Assert.Equal(before.Variance.Matches(policy, headers), after.Variance.Matches(policy, headers));
                if (!before.Variance.IsStar)
                    Assert.Equal(before.Variance.SelectingKey(policy, headers), after.Variance.SelectingKey(policy, headers));
                var fresh = Variance.Create(policy, headers, Fields.Of(response));
                Assert.Equal(before.Variance.IsReplacedBy(fresh), after.Variance.IsReplacedBy(fresh));
                Assert.Equal(fresh.IsReplacedBy(before.Variance), fresh.IsReplacedBy(after.Variance));
                Assert.Equal(Told(before), Told(after));

                var confirmed = Given.Headers("Cache-Control: max-age=1000");
                Assert.Equal(
                    Told(before.Freshen(confirmed, policy, now, now)),
                    Told(after.Freshen(confirmed, policy, now, now)));
            });

    [Fact]
    public void Bytes_cut_short_or_longer_are_no_head() => Gen.Select(ResponseLines, RequestLines, Policies).Sample((response, request, policy) =>
    {
        var bytes = Written(Stored(policy, response, request));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(Read(bytes.AsSpan(0, length)));
        Assert.Null(Read([.. bytes, 0]));
    }, iter: 20);

    [Fact]
    public void Any_bytes_are_a_head_or_none() => Gen.Select(ResponseLines, RequestLines, Policies, Gen.Int, Gen.Byte).Sample((response, request, policy, place, value) =>
    {
        var bytes = Written(Stored(policy, response, request));
        bytes[(uint)place % bytes.Length] = value;
        if (Read(bytes) is { } head)
        {
            // Whatever it is by now, it can be asked.
            Assert.All(head.Fields, static field => Assert.True(Token.IsToken(field.Name)));
            Assert.True(head.Freshness.Age(DateTimeOffset.MaxValue) >= head.Freshness.Age(Given.Now));
        }
    });

    [Fact]
    public void Fields_that_cannot_be_sent_make_it_no_head()
    {
        Assert.Null(Read(Written(Given.Stored("X-A: a\rb"))));
        Assert.Null(Read(Written(Given.Stored("X A: a"))));
    }

    private static string[] Present(params (string Name, string Value)[] fields) =>
        [.. fields.Where(static field => field.Value.Length > 0).Select(static field => $"{field.Name}: {field.Value}")];

    private static StoredHead Stored(CachePolicy policy, string[] response, string[] request)
    {
        var headers = Fields.Of(response);
        var directives = ResponseDirectives.Parse(headers, policy);
        var freshness = Freshness.Of(200, headers, directives, policy, Given.Now.AddSeconds(-1), Given.Now);
        return StoredHead.Create(200, headers, Fields.Of(request), directives, freshness, policy);
    }

    private static byte[] Written(StoredHead head)
    {
        var bytes = new ArrayBufferWriter<byte>();
        HeadRecord.Write(head, new RecordWriter(bytes));
        return bytes.WrittenSpan.ToArray();
    }

    private static StoredHead? Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new RecordReader(bytes);
        var head = HeadRecord.Read(ref reader);
        return reader.IsAtEnd ? head : null;
    }

    /// <summary>All that a head says, as text.</summary>
    private static string Told(StoredHead head) => string.Join(
        '\n',
        [
            .. head.Fields.Select(static field => $"{field.Name}: {string.Join(" | ", field.Value.ToArray())}"),
            .. head.Withheld.Select(static field => $"withheld {field.Name}: {string.Join(" | ", field.Value.ToArray())}"),
            $"{head.Status} {head.Freshness} {head.ETag} {head.LastModified:O} {head.Date:O}",
            $"{head.ForbidsStale} {head.AllowsAuthorized} {head.MustBeDropped} {head.AlwaysRevalidate}",
            $"{head.StaleWhileRevalidate} {head.StaleIfError} {head.Grace}",
            $"{head.Directives.TargetedField} {string.Join(',', head.Directives.NoCacheFields)} {string.Join(',', head.Directives.PrivateFields)}",
            string.Join(',', head.Tags.Tags) + " " + string.Join(',', head.Tags.Groups),
        ]);
}

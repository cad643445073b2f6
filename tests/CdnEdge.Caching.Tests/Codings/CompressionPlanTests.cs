namespace CdnEdge.Caching.Tests.Codings;

/// <summary>What is compressed, and what its answers say of that.</summary>
public class CompressionPlanTests
{
    private const string Css = "Content-Type: text/css; charset=utf-8";

    [Theory]
    [InlineData("text/html; charset=utf-8", true)]
    [InlineData("TEXT/HTML", true)]
    [InlineData("text/javascript", true)]
    [InlineData("application/javascript", true)]
    [InlineData("application/json", true)]
    [InlineData("application/ld+json; profile=x", true)]
    [InlineData("application/atom+xml", true)]
    [InlineData("image/svg+xml", true)]
    [InlineData("application/manifest+json", true)]
    [InlineData("application/wasm", true)]
    [InlineData("font/ttf", true)]
    [InlineData("image/x-icon", true)]
    [InlineData("image/bmp", true)]
    [InlineData("font/woff2", false)]
    [InlineData("image/jpeg", false)]
    [InlineData("image/webp", false)]
    [InlineData("video/mp4", false)]
    [InlineData("application/zip", false)]
    [InlineData("application/octet-stream", false)]
    [InlineData("json", false)]
    [InlineData("", false)]
    public void It_goes_by_the_media_type(string type, bool isCompressed)
    {
        Assert.Equal(isCompressed, Judge(new CompressionPolicy(), $"Content-Type: {type}").IsNegotiable);
    }

    [Theory]
    [InlineData("Cache-Control: max-age=60, no-transform")]
    [InlineData("Cache-Control: max-age=60|Cache-Control: No-Transform")]
    [InlineData("CDN-Cache-Control: max-age=60, no-transform")]
    [InlineData("CDN-Cache-Control: max-age=60|Cache-Control: no-transform")] // which doesn't govern here, and is meant for all
    [InlineData("Content-Encoding: gzip")]
    [InlineData("Content-Encoding: br, gzip")]
    [InlineData("Content-Encoding: br|Content-Encoding: gzip")]
    public void What_may_not_be_changed_and_what_is_coded_is_left_alone(string fields)
    {
        Assert.False(Judge(new CompressionPolicy(), [Css, .. fields.Split('|')]).IsNegotiable);
    }

    [Theory]
    [InlineData("Vary: Cookie", "Cookie: session=1", false)]
    [InlineData("Vary: Accept-Encoding, authorization", "Authorization: Basic eA==", false)]
    [InlineData("Vary: Cookie", "Accept: */*", true)] // one for all who have none
    [InlineData("Vary: Accept-Language", "Cookie: session=1", true)] // one for all, whoever fetched it
    public void What_is_one_visitors_own_is_left_alone(string vary, string asked, bool isCompressed)
    {
        var policy = new CachePolicy();
        var head = StoredHead.Create(
            200, Given.Headers(Css, vary), Given.Headers(asked), ResponseDirectives.None, Given.Freshness(policy, 200), policy);

        Assert.Equal(isCompressed, head.CodingsUnder(policy.Compression.Plan).IsNegotiable);
    }

    [Fact]
    public void A_cookie_that_the_policy_names_tells_no_visitor_from_another()
    {
        var policy = new CachePolicy { Key = new KeyPolicy { Cookies = ["theme"] } };
        var head = StoredHead.Create(
            200, Given.Headers(Css), Given.Headers("Cookie: theme=dark"), ResponseDirectives.None, Given.Freshness(policy, 200), policy);

        Assert.True(head.CodingsUnder(policy.Compression.Plan).IsNegotiable);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("")]
    public void The_coding_identity_is_none(string field)
    {
        var verdict = Judge(new CompressionPolicy(), Css, $"Content-Encoding: {field}");

        Assert.Equal((true, null), (verdict.IsNegotiable, verdict.StoredCoding));
    }

    [Theory]
    [InlineData(204)]
    [InlineData(206)]
    [InlineData(404)]
    public void Nor_is_anything_but_a_200_compressed(int status)
    {
        var headers = Given.Headers(Css);
        var policy = new CachePolicy();
        var head = StoredHead.Create(status, headers, Given.Headers(), ResponseDirectives.None, Given.Freshness(policy, status), policy);

        Assert.False(head.CodingsUnder(policy.Compression.Plan).IsNegotiable);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("BR", "br")]
    [InlineData("zstd", "zstd")]
    public void Where_it_is_to_be_compressed_anew_the_stored_coding_is_known(string field, string expected)
    {
        var verdict = Judge(new CompressionPolicy { Recompress = true }, Css, $"Content-Encoding: {field}");

        Assert.Equal((true, expected), (verdict.IsNegotiable, verdict.StoredCoding));
    }

    [Theory]
    [InlineData("br, gzip")]
    [InlineData("compress")]
    [InlineData("deflate")] // zlib's format, or none at all: servers disagree
    public void But_not_from_what_cannot_be_decoded_here(string field)
    {
        Assert.False(Judge(new CompressionPolicy { Recompress = true }, Css, $"Content-Encoding: {field}").IsNegotiable);
    }

    [Theory]
    [InlineData(null, "Accept-Encoding")]
    [InlineData("Vary: Origin", "Origin, Accept-Encoding")]
    [InlineData("Vary: Origin|Vary: Cookie", "Origin,Cookie, Accept-Encoding")]
    [InlineData("Vary: origin, accept-encoding", "")] // named already
    public void Vary_names_what_the_choice_depends_on(string? vary, string expected)
    {
        var verdict = Judge(new CompressionPolicy(), [Css, .. vary?.Split('|') ?? []]);

        Assert.Equal(expected, verdict.Vary.ToString());
    }

    [Theory]
    [InlineData("Content-Digest: sha-256=:AA==:", true)]
    [InlineData("Repr-Digest: sha-256=:AA==:", true)]
    [InlineData("Digest: sha-256=AA==", true)]
    [InlineData("Content-MD5: AA==", true)]
    [InlineData("X-Digest: AA==", false)]
    public void Digests_of_the_body_are_noted(string field, bool expected)
    {
        Assert.Equal(expected, Judge(new CompressionPolicy(), Css, field).HasDigests);
    }

    [Fact]
    public void A_verdict_is_worked_out_once_per_head_and_shared_by_those_that_are_alike()
    {
        var plan = new CompressionPolicy().Plan;
        var (one, other) = (Given.Stored(Css), Given.Stored(Css));

        Assert.Same(one.CodingsUnder(plan), one.CodingsUnder(plan));
        Assert.Same(one.CodingsUnder(plan), other.CodingsUnder(plan));
    }

    [Fact]
    public void Under_another_policy_it_is_another()
    {
        var head = Given.Stored(Css);
        Assert.True(head.CodingsUnder(new CompressionPolicy().Plan).IsNegotiable);

        Assert.False(head.CodingsUnder(new CompressionPolicy { Types = ["text/html"] }.Plan).IsNegotiable);
        Assert.False(head.CodingsUnder(new CompressionPolicy { Enabled = false }.Plan).IsNegotiable);
    }

    [Fact]
    public void So_it_is_where_a_validation_forbids_what_was_allowed()
    {
        var policy = new CachePolicy();
        var head = Given.Stored(policy, Css);
        Assert.True(head.CodingsUnder(policy.Compression.Plan).IsNegotiable);

        var freshened = head.Freshen(Given.Headers("Cache-Control: max-age=60, no-transform"), policy, Given.Now, Given.Now);

        Assert.False(freshened.CodingsUnder(policy.Compression.Plan).IsNegotiable);
    }

    [Theory]
    [InlineData(999, false)]
    [InlineData(1000, true)]
    [InlineData(2000, true)]
    [InlineData(2001, false)]
    [InlineData(null, true)] // it may come to be one
    public void Small_and_large_bodies_are_left_alone(int? length, bool isTaken)
    {
        Assert.Equal(isTaken, new CompressionPolicy { MinBytes = 1000, MaxBytes = 2000 }.Plan.Takes(length));
    }

    [Fact]
    public void Choosing_allocates_nothing_for_a_field_that_has_been_seen()
    {
        var plan = new CompressionPolicy().Plan;
        var verdict = Given.Stored(Css).CodingsUnder(plan);
        var browser = Given.Headers("Accept-Encoding: gzip, deflate, br, zstd");
        var other = Given.Headers("Accept-Encoding: gzip;q=0.3", "Accept-Encoding: deflate");
        Assert.Equal(("br", "gzip"), (plan.Choose(browser, verdict), plan.Choose(other, verdict)));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            plan.Choose(browser, verdict);
            plan.Choose(other, verdict);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_client_may_ask_that_nothing_be_changed()
    {
        var plan = new CompressionPolicy().Plan;

        Assert.Null(plan.Choose(Given.Headers("Accept-Encoding: br", "Cache-Control: no-transform"), Given.Stored(Css).CodingsUnder(plan)));
    }

    [Fact]
    public void Fields_that_share_a_place_in_what_is_remembered_are_told_apart()
    {
        var plan = new CompressionPolicy().Plan;
        var verdict = Given.Stored(Css).CodingsUnder(plan);
        string[] codings = ["br", "zstd", "gzip"];

        for (var i = 0; i < 300; i++)
            Assert.Equal(codings[i % 3], plan.Choose(Given.Headers($"Accept-Encoding: {codings[i % 3]}, x{i / 3}"), verdict));
    }

    private static CodingVerdict Judge(CompressionPolicy compression, params string[] fields) =>
        Given.Stored(new CachePolicy { Compression = compression }, fields).CodingsUnder(compression.Plan);
}

using CsCheck;

namespace CdnEdge.Caching.Tests.Validation;

public class PreconditionsTests
{
    private const string Earlier = "Wed, 01 Jan 2025 10:00:00 GMT";
    private const string Modified = "Wed, 01 Jan 2025 11:00:00 GMT";
    private const string Later = "Wed, 01 Jan 2025 12:00:00 GMT";
    private static readonly DateTimeOffset LastModified = new(2025, 1, 1, 11, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Date = LastModified.AddMinutes(30);
    private static readonly DateTimeOffset Now = LastModified.AddHours(2);

    [Theory]
    [InlineData("If-Match: \"a\"")]
    [InlineData("If-None-Match: \"a\"")]
    [InlineData("If-Modified-Since: " + Modified)]
    [InlineData("If-Unmodified-Since: " + Modified)]
    [InlineData("If-Range: \"a\"")]
    [InlineData("Range: bytes=0-")]
    public void Are_noticed(string line) => Assert.True(Preconditions.AnyIn(Fields.Of("Host: example.org", line)));

    [Fact]
    public void Are_not_seen_where_there_are_none() => Assert.False(Preconditions.AnyIn(Fields.Of("Host: example.org", "Accept: */*")));

    // Against ETag "a,b" (strong), Last-Modified 11:00, Date 11:30.
    [Theory]
    [InlineData(nameof(PreconditionResult.Proceed))]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Match: *")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Match: \"a,b\"")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Match: \"x\", \"a,b\"")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Match: \"x\"", "If-Match: \"a,b\"")]
    [InlineData(nameof(PreconditionResult.Failed), "If-Match: \"x\"")]
    [InlineData(nameof(PreconditionResult.Failed), "If-Match: W/\"a,b\"")] // strong comparison
    [InlineData(nameof(PreconditionResult.Failed), "If-Match: \"x\"", "If-Unmodified-Since: " + Later)]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Match: \"a,b\"", "If-Unmodified-Since: " + Earlier)] // ignored: If-Match is there
    [InlineData(nameof(PreconditionResult.Failed), "If-Unmodified-Since: " + Earlier)]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Unmodified-Since: " + Modified)]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Unmodified-Since: yesterday")]
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: *")]
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: \"a,b\"")]
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: W/\"a,b\"")] // weak comparison
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: \"x\" ,W/\"a,b\",\"y\"")]
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: \"x\"", "If-None-Match: \"a,b\"")]
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: , ,\"a,b\"")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-None-Match: \"a\", \"b\"")] // the comma is the tag's
    [InlineData(nameof(PreconditionResult.Proceed), "If-None-Match: \"x, a,b\"")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-None-Match: \"x\"", "If-Modified-Since: " + Later)] // ignored: If-None-Match is there
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: \"a,b\"", "If-Modified-Since: " + Earlier)]
    [InlineData(nameof(PreconditionResult.NotModified), "If-Modified-Since: " + Modified)]
    [InlineData(nameof(PreconditionResult.NotModified), "If-Modified-Since: " + Later)]
    [InlineData(nameof(PreconditionResult.NotModified), "If-Modified-Since: Wednesday, 01-Jan-25 11:00:00 GMT")] // RFC 850
    [InlineData(nameof(PreconditionResult.NotModified), "If-Modified-Since: Wed Jan  1 11:00:00 2025")] // asctime
    [InlineData(nameof(PreconditionResult.Proceed), "If-Modified-Since: " + Earlier)]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Modified-Since: yesterday")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Modified-Since: " + Later, "If-Modified-Since: " + Later)]
    [InlineData(nameof(PreconditionResult.NotModified), "If-Match: \"a,b\"", "If-None-Match: \"a,b\"")] // in order: the first holds, the third doesn't
    [InlineData(nameof(PreconditionResult.Failed), "If-Match: \"x\"", "If-None-Match: \"a,b\"")]
    [InlineData(nameof(PreconditionResult.Failed), "If-Unmodified-Since: " + Earlier, "If-Modified-Since: " + Later)]
    public void Come_to(string expected, params string[] lines)
    {
        var etag = EntityTagTests.Tag("\"a,b\"");

        Assert.Equal(expected, Preconditions.Evaluate(Fields.Of(lines), 200, etag, LastModified, Date, Now).ToString());
    }

    [Theory]
    [InlineData(nameof(PreconditionResult.Failed), "If-Match: \"a\"")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Match: *")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Unmodified-Since: " + Earlier)]
    [InlineData(nameof(PreconditionResult.Proceed), "If-None-Match: \"a\"")]
    [InlineData(nameof(PreconditionResult.NotModified), "If-None-Match: *")]
    [InlineData(nameof(PreconditionResult.Proceed), "If-Modified-Since: " + Modified)] // 11:00 is before the Date, 11:30
    [InlineData(nameof(PreconditionResult.NotModified), "If-Modified-Since: " + Later)] // RFC 9111 §4.3.2: Date stands in
    public void Come_to_this_without_validators(string expected, string line) =>
        Assert.Equal(expected, Preconditions.Evaluate(Fields.Of(line), 200, null, null, Date, Now).ToString());

    [Theory]
    [InlineData(206, nameof(PreconditionResult.NotModified))]
    [InlineData(404, nameof(PreconditionResult.Proceed))]
    [InlineData(301, nameof(PreconditionResult.Proceed))]
    [InlineData(204, nameof(PreconditionResult.Proceed))]
    public void Concern_only_a_200_or_its_parts(int status, string expected) =>
        Assert.Equal(expected, Preconditions.Evaluate(Fields.Of("If-None-Match: *", "If-Modified-Since: " + Later), status, null, LastModified, Date, Now).ToString());

    [Theory]
    [InlineData(true)]
    [InlineData(true, "If-Range: \"a\"")]
    [InlineData(true, "If-Range:  \"a\" ")]
    [InlineData(false, "If-Range: W/\"a\"")]
    [InlineData(false, "If-Range: \"b\"")]
    [InlineData(false, "If-Range: a")]
    [InlineData(false, "If-Range: *")]
    [InlineData(false, "If-Range: \"b\", \"a\"")]
    [InlineData(false, "If-Range: \"a\"", "If-Range: \"a\"")]
    [InlineData(true, "If-Range: " + Modified)]
    [InlineData(true, "If-Range: Wednesday, 01-Jan-25 11:00:00 GMT")]
    [InlineData(false, "If-Range: " + Later)] // exact match, not "unmodified since"
    [InlineData(false, "If-Range: " + Earlier)]
    public void If_Range_allows_a_range(bool expected, params string[] lines)
    {
        var etag = EntityTagTests.Tag("\"a\"");

        Assert.Equal(expected, Preconditions.AllowsRange(Fields.Of(lines), etag, LastModified, Date, Now));
    }

    [Fact]
    public void If_Range_never_matches_a_weak_tag_or_a_date_that_may_be_shared()
    {
        var weak = EntityTagTests.Tag("W/\"a\"");

        Assert.False(Preconditions.AllowsRange(Fields.Of("If-Range: W/\"a\""), weak, null, Date, Now));
        Assert.False(Preconditions.AllowsRange(Fields.Of("If-Range: " + Modified), null, LastModified, LastModified, Now));
        Assert.True(Preconditions.AllowsRange(Fields.Of("If-Range: " + Modified), null, LastModified, LastModified.AddSeconds(1), Now));
        Assert.False(Preconditions.AllowsRange(Fields.Of("If-Range: " + Modified), null, null, Date, Now));
    }

    [Fact]
    public void Nothing_that_a_client_writes_throws() =>
        Gen.Select(Gen.String, Gen.String).Sample((x, y) =>
        {
            var etag = EntityTagTests.Tag("\"a\"");
            foreach (var name in new[] { "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range" })
            {
                var headers = new Microsoft.AspNetCore.Http.HeaderDictionary { [name] = new[] { x, y } };
                Preconditions.Evaluate(headers, 200, etag, LastModified, Date, Now);
                Preconditions.AllowsRange(headers, etag, LastModified, Date, Now);
                headers[name] = x;
                Preconditions.Evaluate(headers, 200, etag, LastModified, Date, Now);
                Preconditions.AllowsRange(headers, etag, LastModified, Date, Now);
            }
        });
}

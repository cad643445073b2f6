using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>Clients that ask whether what they have is still right (RFC 9110 §13).</summary>
public sealed class ConditionalScenarios(Edge edge) : IClassFixture<Edge>
{
    private const string Modified = "Last-Modified: Tue, 01 Sep 2020 12:00:00 GMT";

    [Theory]
    [InlineData("If-None-Match: \"1\"", 304)]
    [InlineData("If-None-Match: W/\"1\"", 304)]
    [InlineData("If-None-Match: \"0\", \"1\"", 304)]
    [InlineData("If-None-Match: *", 304)]
    [InlineData("If-None-Match: \"2\"", 200)]
    [InlineData("If-Modified-Since: Tue, 01 Sep 2020 12:00:00 GMT", 304)]
    [InlineData("If-Modified-Since: Tue, 01 Sep 2020 11:59:59 GMT", 200)]
    [InlineData("If-None-Match: \"2\"|If-Modified-Since: Tue, 01 Sep 2020 12:00:00 GMT", 200)]
    public async Task A_stored_response_answers_conditional_requests(string conditions, int status)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "ETag: \"1\"", Modified));
        await edge.Get(page);

        var response = await edge.Get(page, conditions.Split('|'));

        Assert.Equal((status, status == 200 ? "hello" : ""), (response.Status, response.Text));
        Assert.Equal("\"1\"", response.Headers["ETag"]);
        Assert.True(response.IsHit, response.CacheStatus);
        Assert.Single(page.Requests);
    }

    [Theory]
    [InlineData("If-Match: \"2\"")]
    [InlineData("If-Unmodified-Since: Tue, 01 Sep 2020 11:59:59 GMT")]
    public async Task A_precondition_that_does_not_hold_is_a_412(string condition)
    {
        // The origin's own answer if the edge leaves the judgement to it.
        var page = edge.Origin.Serves(
            origin => origin.Fresh("hello", "ETag: \"1\"", Modified),
            origin => origin.Respond(412, []));
        await edge.Get(page);

        Assert.Equal(412, (await edge.Get(page, condition)).Status);
    }

    [Theory]
    [InlineData("If-Match: \"2\"", 412)]
    [InlineData("Range: bytes=5-", 416)]
    public async Task A_refusal_is_not_as_fresh_as_what_it_refuses(string condition, int status)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "ETag: \"1\"", Modified, "CDN-Cache-Control: max-age=600"));

        await edge.Get(page);

        var response = await edge.Get(page, condition);

        Assert.Equal((status, "no-store", false), (response.Status, response.Headers["Cache-Control"], response.Headers.Has("CDN-Cache-Control")));
        Assert.True(response.IsHit, response.CacheStatus);
    }

    [Fact]
    public async Task Nor_is_one_of_what_has_just_come()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello", "ETag: \"1\""));

        var refused = await edge.Get(page, "If-Match: \"2\"");

        Assert.Equal((412, "no-store", BodyEnd.Whole), (refused.Status, refused.Headers["Cache-Control"], refused.End));
        Assert.True((await edge.Get(page)).IsHit);
    }

    [Fact]
    public async Task What_is_made_anew_each_time_is_never_unmodified()
    {
        // RFC 9110 §13.1.3: If-Modified-Since means nothing where there's no modification date.
        var page = edge.Origin.Serves(origin => origin.Respond(200, ["Cache-Control: no-store"], "now"));

        var response = await edge.Get(page, "If-Modified-Since: Tue, 01 Sep 2099 12:00:00 GMT");

        Assert.Equal((200, "now"), (response.Status, response.Text));
    }

    [Fact]
    public async Task A_client_with_a_validator_of_its_own_does_not_keep_the_whole_from_others()
    {
        // Given an origin that would answer 304 to the client's validator,
        var page = edge.Origin.Serves(origin => origin.Headers["If-None-Match"] == "\"1\""
            ? origin.Respond(304, ["Cache-Control: max-age=600", "ETag: \"1\""])
            : origin.Fresh("hello", "ETag: \"1\""));

        // when that client is the first to come,
        var first = await edge.Get(page, "If-None-Match: \"1\"");

        // then it gets its 304 and the next client a body.
        Assert.Equal(304, first.Status);
        var next = await edge.Get(page);
        Assert.Equal((200, "hello"), (next.Status, next.Text));
    }
}

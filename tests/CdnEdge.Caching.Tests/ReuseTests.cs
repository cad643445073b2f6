namespace CdnEdge.Caching.Tests;

public class ReuseTests
{
    private static ReuseDecision Decide(StoredHead head, double age, string? request = null, bool hasAuthorization = false) =>
        Reuse.Decide(head, Given.Request(request), hasAuthorization, Given.Now.AddSeconds(age));

    [Theory]
    [InlineData("max-age=10", 9.9, null, ReuseDecision.Fresh)]
    [InlineData("max-age=10", 10, null, ReuseDecision.Revalidate)]
    [InlineData("max-age=10, no-cache", 0, null, ReuseDecision.Revalidate)]
    [InlineData("max-age=10, no-cache=\"x\"", 0, null, ReuseDecision.Fresh)]
    [InlineData("max-age=10, must-revalidate", 5, null, ReuseDecision.Fresh)]
    // RFC 5861 §3
    [InlineData("max-age=1, stale-while-revalidate=4", 3, null, ReuseDecision.StaleWhileRevalidate)]
    [InlineData("max-age=1, stale-while-revalidate=4", 5, null, ReuseDecision.StaleWhileRevalidate)]
    [InlineData("max-age=1, stale-while-revalidate=4", 5.1, null, ReuseDecision.Revalidate)]
    [InlineData("max-age=1, stale-while-revalidate=0", 1, null, ReuseDecision.Revalidate)]
    [InlineData("max-age=1, stale-while-revalidate=4, must-revalidate", 3, null, ReuseDecision.Revalidate)]
    [InlineData("s-maxage=1, stale-while-revalidate=4", 3, null, ReuseDecision.Revalidate)]
    [InlineData("max-age=1, stale-while-revalidate=4", 3, "no-cache", ReuseDecision.Revalidate)]
    [InlineData("max-age=1, stale-while-revalidate=4", 3, "max-age=10", ReuseDecision.Revalidate)]
    // RFC 9111 §5.2.1
    [InlineData("max-age=100", 0, "max-age=0", ReuseDecision.Revalidate)]
    [InlineData("max-age=100", 3, "max-age=1", ReuseDecision.Revalidate)]
    [InlineData("max-age=100", 1, "max-age=1", ReuseDecision.Fresh)]
    [InlineData("max-age=100", 3, "no-cache", ReuseDecision.Revalidate)]
    [InlineData("max-age=100", 3, "no-store", ReuseDecision.Revalidate)]
    [InlineData("max-age=100", 3, "only-if-cached", ReuseDecision.Fresh)]
    [InlineData("max-age=1500", 0, "min-fresh=2000", ReuseDecision.Revalidate)]
    [InlineData("max-age=1500", 500, "min-fresh=1000", ReuseDecision.Fresh)]
    [InlineData("max-age=1500", 501, "min-fresh=1000", ReuseDecision.Revalidate)]
    [InlineData("max-age=2", 5, "max-stale=1000", ReuseDecision.MaxStale)]
    [InlineData("max-age=2", 5, "max-stale=2", ReuseDecision.Revalidate)]
    [InlineData("max-age=2", 50_000, "max-stale", ReuseDecision.MaxStale)]
    [InlineData("max-age=2", 5, "max-stale, min-fresh=0", ReuseDecision.Revalidate)]
    [InlineData("max-age=2", 5, "max-stale, max-age=10", ReuseDecision.MaxStale)]
    [InlineData("max-age=2", 50, "max-stale, max-age=10", ReuseDecision.Revalidate)]
    [InlineData("max-age=2, must-revalidate", 5, "max-stale", ReuseDecision.Revalidate)]
    [InlineData("max-age=2, proxy-revalidate", 5, "max-stale", ReuseDecision.Revalidate)]
    [InlineData("max-age=2, s-maxage=2", 5, "max-stale", ReuseDecision.Revalidate)]
    [InlineData("max-age=2, no-cache", 5, "max-stale", ReuseDecision.Revalidate)]
    public void What_a_stored_response_is_good_for(string stored, double age, string? request, object expected) =>
        Assert.Equal((ReuseDecision)expected, Decide(Given.Stored("Cache-Control: " + stored, "ETag: \"x\""), age, request));

    [Fact]
    public void Age_on_arrival_counts() =>
        Assert.Equal(ReuseDecision.MaxStale, Decide(Given.Stored("Cache-Control: max-age=1500", "Age: 2000"), 0, "max-stale=1000"));

    [Theory]
    [InlineData("max-age=10", ReuseDecision.Unusable)]
    [InlineData("max-age=10, public", ReuseDecision.Fresh)]
    [InlineData("max-age=10, must-revalidate", ReuseDecision.Fresh)]
    [InlineData("s-maxage=10", ReuseDecision.Fresh)]
    public void Authorization_wants_the_origin_to_say_so(string stored, object expected) =>
        Assert.Equal((ReuseDecision)expected, Decide(Given.Stored("Cache-Control: " + stored), 0, hasAuthorization: true));

    [Fact]
    public void The_policys_windows_stand_in_where_the_origin_says_none()
    {
        var policy = new CachePolicy { StaleWhileRevalidate = TimeSpan.FromSeconds(30), StaleIfError = TimeSpan.FromSeconds(60) };
        Assert.Equal(ReuseDecision.StaleWhileRevalidate, Decide(Given.Stored(policy, "Cache-Control: max-age=1"), 20));
        Assert.Equal(ReuseDecision.Revalidate, Decide(Given.Stored(policy, "Cache-Control: max-age=1, stale-while-revalidate=5"), 20));
        Assert.Equal(ReuseDecision.Revalidate, Decide(Given.Stored(policy, "ETag: \"never-fresh\""), 20));
        Assert.True(Reuse.MayServeOnError(Given.Stored(policy, "Cache-Control: max-age=1"), default, disconnected: false, Given.Now.AddSeconds(20)));
        Assert.False(Reuse.MayServeOnError(Given.Stored(policy, "Cache-Control: max-age=1, stale-if-error=5"), default, disconnected: false, Given.Now.AddSeconds(20)));
    }

    [Theory]
    // Nobody answered: the policy's grace (an hour) or stale-if-error.
    [InlineData("max-age=2", true, 3000, null, true)]
    [InlineData("max-age=2", true, 3700, null, false)]
    [InlineData("max-age=2, stale-if-error=7200", true, 3700, null, true)]
    [InlineData("max-age=2", true, 3700, "stale-if-error=7200", true)]
    // A 500, 502, 503 or 504: stale-if-error alone.
    [InlineData("max-age=2", false, 5, null, false)]
    [InlineData("max-age=2, stale-if-error=60", false, 62, null, true)]
    [InlineData("max-age=2, stale-if-error=60", false, 63, null, false)]
    [InlineData("max-age=2, stale-if-error=0", false, 2, null, false)]
    [InlineData("max-age=2", false, 5, "stale-if-error=60", true)]
    [InlineData("max-age=2", false, 65, "stale-if-error=60", false)]
    // Forbidden.
    [InlineData("max-age=2, must-revalidate, stale-if-error=60", true, 5, "stale-if-error=60", false)]
    [InlineData("max-age=2, proxy-revalidate", true, 5, null, false)]
    [InlineData("max-age=2, s-maxage=2", true, 5, null, false)]
    [InlineData("max-age=2, no-cache", true, 5, null, false)]
    public void Stale_answers_in_place_of_errors(string stored, bool disconnected, double age, string? request, bool expected) =>
        Assert.Equal(expected, Reuse.MayServeOnError(
            Given.Stored("Cache-Control: " + stored), Given.Request(request), disconnected, Given.Now.AddSeconds(age)));

    [Fact]
    public void What_arrived_expired_has_its_grace_from_the_arrival() =>
        Assert.True(Reuse.MayServeOnError(
            Given.Stored("Expires: " + Given.Date(-5000), "Last-Modified: " + Given.Date(-100_000)),
            default, disconnected: true, Given.Now.AddSeconds(3)));

    [Fact]
    public void Deciding_allocates_nothing()
    {
        var head = Given.Stored("Cache-Control: max-age=10, stale-while-revalidate=5");
        var request = Given.Request("max-stale=5");
        Decide();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decide();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Decide()
        {
            Reuse.Decide(head, request, hasAuthorization: false, Given.Now.AddSeconds(5));
            Reuse.Decide(head, request, hasAuthorization: false, Given.Now.AddSeconds(50));
            Reuse.MayServeOnError(head, request, disconnected: true, Given.Now.AddSeconds(50));
        }
    }
}

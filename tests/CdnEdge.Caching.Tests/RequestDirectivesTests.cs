using CsCheck;

namespace CdnEdge.Caching.Tests;

public class RequestDirectivesTests
{
    [Fact]
    public void Every_directive_has_its_place() =>
        Assert.Equal(
            new RequestDirectives
            {
                NoStore = true,
                NoCache = true,
                OnlyIfCached = true,
                MaxAge = 1,
                MinFresh = 2,
                MaxStale = 3,
                StaleIfError = 4,
            },
            Given.Request("no-store, No-Cache, only-if-cached, max-age=1, min-fresh=2, max-stale=\"3\", stale-if-error=4"));

    [Fact]
    public void Max_stale_alone_is_any_staleness() => Assert.Equal(long.MaxValue, Given.Request("max-stale").MaxStale);

    [Fact]
    public void Of_two_values_the_more_demanding_counts() =>
        Assert.Equal(
            new RequestDirectives { MaxAge = 1, MinFresh = 9, MaxStale = 5 },
            Given.Request("max-age=1, max-age=9, min-fresh=1, min-fresh=9, max-stale, max-stale=5"));

    [Theory]
    [InlineData("max-age=x")]
    [InlineData("max-age")]
    [InlineData("max-age = 1")]
    [InlineData("min-fresh=-1")]
    [InlineData("max-stale=soon")]
    [InlineData("foo=\"no-store\"")]
    public void What_makes_no_sense_is_ignored(string value) => Assert.Equal(default, Given.Request(value));

    [Fact]
    public void Pragma_counts_only_without_cache_control()
    {
        Assert.True(RequestDirectives.Parse(Given.Headers("Pragma: no-cache")).NoCache);
        Assert.False(RequestDirectives.Parse(Given.Headers("Pragma: foo")).NoCache);
        Assert.False(RequestDirectives.Parse(Given.Headers("Pragma: no-cache", "Cache-Control: max-age=10")).NoCache);
    }

    [Fact]
    public void A_request_without_cache_control_allocates_nothing()
    {
        var headers = Given.Headers("Accept: */*");
        RequestDirectives.Parse(headers);
        var before = GC.GetAllocatedBytesForCurrentThread();
        RequestDirectives.Parse(headers);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void No_text_makes_it_throw() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["maxstlefrhoniycd-=\"\\, 0123"], 0, 60])
            .Sample(text => Given.Request(text) is { MaxAge: null or >= 0 });
}

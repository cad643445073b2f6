using CsCheck;

namespace CdnEdge.Caching.Tests;

public class FreshnessTests
{
    private static (int Seconds, FreshnessSource Source) Lifetime(CachePolicy policy, int status, params string[] lines)
    {
        var freshness = Given.Freshness(policy, status, lines);
        return ((int)freshness.Lifetime.TotalSeconds, freshness.Source);
    }

    [Fact]
    public void S_maxage_beats_max_age_beats_expires_beats_the_heuristic()
    {
        var policy = new CachePolicy();
        string[] lines = ["Last-Modified: " + Given.Date(-1000), "Expires: " + Given.Date(300), "Cache-Control: max-age=20", "Cache-Control: s-maxage=10"];

        Assert.Equal((10, FreshnessSource.SMaxAge), Lifetime(policy, 200, lines));
        Assert.Equal((20, FreshnessSource.MaxAge), Lifetime(policy, 200, lines[..3]));
        Assert.Equal((300, FreshnessSource.Expires), Lifetime(policy, 200, lines[..2]));
        Assert.Equal((100, FreshnessSource.Heuristic), Lifetime(policy, 200, lines[..1]));
        Assert.Equal((0, FreshnessSource.None), Lifetime(policy, 200));
    }

    [Fact]
    public void Expires_counts_from_date()
    {
        var policy = new CachePolicy();
        Assert.Equal((10, FreshnessSource.Expires), Lifetime(policy, 200, "Date: " + Given.Date(10), "Expires: " + Given.Date(20)));
        Assert.Equal((0, FreshnessSource.Expires), Lifetime(policy, 200, "Date: " + Given.Date(400), "Expires: " + Given.Date(300)));
        Assert.Equal((20, FreshnessSource.Expires), Lifetime(policy, 200, "Date: foo", "Expires: " + Given.Date(20)));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("Thu, 18 Aug 2050 02:01:18 UTC")]
    public void An_invalid_expires_is_already_expired_and_leaves_no_room_for_the_heuristic(string value) =>
        Assert.Equal((0, FreshnessSource.Expires),
            Lifetime(new CachePolicy(), 200, "Expires: " + value, "Last-Modified: " + Given.Date(-100_000)));

    [Fact]
    public void Two_expires_lines_are_invalid() =>
        Assert.Equal((0, FreshnessSource.Expires),
            Lifetime(new CachePolicy(), 200, "Expires: " + Given.Date(100), "Expires: " + Given.Date(100)));

    [Theory]
    [InlineData(200, true)]
    [InlineData(203, true)]
    [InlineData(204, true)]
    [InlineData(206, true)]
    [InlineData(300, true)]
    [InlineData(301, true)]
    [InlineData(308, true)]
    [InlineData(404, true)]
    [InlineData(405, true)]
    [InlineData(410, true)]
    [InlineData(414, true)]
    [InlineData(501, true)]
    [InlineData(201, false)]
    [InlineData(202, false)]
    [InlineData(302, false)]
    [InlineData(403, false)]
    [InlineData(502, false)]
    [InlineData(503, false)]
    [InlineData(504, false)]
    [InlineData(599, false)]
    public void The_heuristic_is_for_the_statuses_that_allow_it_or_for_public(int status, bool expected)
    {
        string[] lines = ["Last-Modified: " + Given.Date(-86400), "Date: " + Given.Date()];
        var policy = new CachePolicy();
        Assert.Equal(expected ? (8640, FreshnessSource.Heuristic) : (0, FreshnessSource.None), Lifetime(policy, status, lines));
        Assert.Equal((8640, FreshnessSource.Heuristic), Lifetime(policy, status, [.. lines, "Cache-Control: public"]));
    }

    [Fact]
    public void The_heuristic_has_a_ceiling_a_fraction_and_an_off_switch()
    {
        string[] lines = ["Last-Modified: " + Given.Date(-100_000_000)];
        Assert.Equal((86400, FreshnessSource.Heuristic), Lifetime(new CachePolicy(), 200, lines));
        Assert.Equal((50, FreshnessSource.Heuristic),
            Lifetime(new CachePolicy { HeuristicFraction = 0.5 }, 200, "Last-Modified: " + Given.Date(-100)));
        Assert.Equal((0, FreshnessSource.None), Lifetime(new CachePolicy { HeuristicCeiling = TimeSpan.Zero }, 200, lines));
        Assert.Equal((0, FreshnessSource.None), Lifetime(new CachePolicy(), 200, "Last-Modified: " + Given.Date(100)));
    }

    [Fact]
    public void The_policy_speaks_where_the_origin_is_silent()
    {
        var policy = new CachePolicy { DefaultTtl = TimeSpan.FromSeconds(60) };
        policy.StatusTtl["404"] = TimeSpan.FromSeconds(5);
        policy.StatusTtl["5xx"] = TimeSpan.FromSeconds(2);

        Assert.Equal((60, FreshnessSource.Policy), Lifetime(policy, 200, "Last-Modified: " + Given.Date(-1000)));
        Assert.Equal((5, FreshnessSource.Policy), Lifetime(policy, 404));
        Assert.Equal((2, FreshnessSource.Policy), Lifetime(policy, 503));
        Assert.Equal((0, FreshnessSource.None), Lifetime(policy, 302));
        Assert.Equal((9, FreshnessSource.MaxAge), Lifetime(policy, 404, "Cache-Control: max-age=9"));
        Assert.Equal((0, FreshnessSource.Expires), Lifetime(policy, 200, "Expires: 0"));
    }

    [Fact]
    public void Ignoring_or_overriding_the_origin_ignores_expires_too()
    {
        var ignoring = new CachePolicy { IgnoreOriginCacheControl = true, DefaultTtl = TimeSpan.FromSeconds(60) };
        Assert.Equal((60, FreshnessSource.Policy), Lifetime(ignoring, 200, "Cache-Control: max-age=1", "Expires: " + Given.Date(5)));
        var overriding = new CachePolicy { OverrideCacheControl = "public" };
        Assert.Equal((0, FreshnessSource.None), Lifetime(overriding, 200, "Expires: " + Given.Date(5)));
    }

    [Fact]
    public void Lifetimes_are_bounded_where_there_is_one()
    {
        var policy = new CachePolicy { MinTtl = TimeSpan.FromSeconds(10), MaxTtl = TimeSpan.FromSeconds(100) };
        Assert.Equal((10, FreshnessSource.MaxAge), Lifetime(policy, 200, "Cache-Control: max-age=0"));
        Assert.Equal((50, FreshnessSource.MaxAge), Lifetime(policy, 200, "Cache-Control: max-age=50"));
        Assert.Equal((100, FreshnessSource.MaxAge), Lifetime(policy, 200, "Cache-Control: max-age=99999999999"));
        Assert.Equal((0, FreshnessSource.None), Lifetime(policy, 200));
    }

    [Theory]
    [InlineData(7200, "7200")]
    [InlineData(7200, "7200, 0")]
    [InlineData(0, "0, 7200")]
    [InlineData(7200, "7200", "0")]
    [InlineData(0, "0", "7200")]
    [InlineData(0, "abc")]
    [InlineData(0, "-7200")]
    [InlineData(0, "7200.0")]
    [InlineData(0, "")]
    [InlineData(7200, "7200;foo=bar")]
    [InlineData(2147483647, "2147483647")]
    [InlineData(2147483648, "2147483648")]
    [InlineData(2147483648, "99999999999999999999")]
    public void Age_is_its_first_member_if_that_is_a_number(long expected, params string[] lines) =>
        Assert.Equal(expected, Given.Freshness(new CachePolicy(), 200, [.. lines.Select(line => "Age: " + line)]).InitialAge.TotalSeconds);

    [Fact]
    public void A_response_is_as_old_as_its_date_or_its_age_and_delay_say()
    {
        TimeSpan InitialAge(double delay, params string[] lines) => Freshness.Of(200, Given.Headers(lines), ResponseDirectives.None,
            new CachePolicy(), Given.Now.AddSeconds(0.5 - delay), Given.Now.AddSeconds(0.5)).InitialAge;

        Assert.Equal(TimeSpan.Zero, InitialAge(0, "Date: " + Given.Date()));
        Assert.Equal(TimeSpan.FromSeconds(30), InitialAge(0, "Date: " + Given.Date(-30), "Age: 20"));
        Assert.Equal(TimeSpan.FromSeconds(42), InitialAge(2, "Date: " + Given.Date(-30), "Age: 40"));
        Assert.Equal(TimeSpan.FromSeconds(5), InitialAge(5, "Date: " + Given.Date(100)));
        Assert.Equal(TimeSpan.FromSeconds(5), InitialAge(5, "Date: yesterday"));
    }

    [Fact]
    public void Age_grows_with_time_and_never_shrinks()
    {
        var freshness = Given.Freshness(new CachePolicy(), 200, "Cache-Control: max-age=10", "Age: 4");
        Assert.Equal(TimeSpan.FromSeconds(7), freshness.Age(Given.Now.AddSeconds(3)));
        Assert.Equal(TimeSpan.FromSeconds(-2), freshness.Remaining(Given.Now.AddSeconds(8)));
        Assert.Equal(TimeSpan.FromSeconds(4), freshness.Age(Given.Now.AddSeconds(-100)));
    }

    [Fact]
    public void No_head_makes_it_throw() =>
        Gen.Select(Gen.String, Gen.String, Gen.String, Gen.Int[100, 999]).Sample((age, date, expires, status) =>
            Given.Freshness(new CachePolicy(), status, "Age:" + age, "Date:" + date, "Expires:" + expires).Lifetime >= TimeSpan.Zero);
}

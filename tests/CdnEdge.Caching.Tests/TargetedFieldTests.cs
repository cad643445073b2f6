namespace CdnEdge.Caching.Tests;

public class TargetedFieldTests
{
    private static ResponseDirectives Parse(params string[] lines) => Given.Directives(new CachePolicy(), lines);

    [Fact]
    public void The_first_valid_one_governs_alone() =>
        Assert.True(Parse("CDN-Cache-Control: max-age=10", "CdnEdge-CDN-Cache-Control: max-age=20", "Cache-Control: no-store")
            is { TargetedField: "CdnEdge-CDN-Cache-Control", MaxAge: 20, NoStore: false });

    [Theory]
    [InlineData("max-age=10000, &&&&&")]
    [InlineData("MaX-aGe=3600")]
    [InlineData("max-age =100")]
    [InlineData("max-age= 100")]
    [InlineData("")]
    [InlineData("  ")]
    public void An_invalid_or_empty_one_is_as_if_absent(string value)
    {
        Assert.True(Parse("CdnEdge-CDN-Cache-Control: " + value, "CDN-Cache-Control: max-age=7", "Cache-Control: no-store")
            is { TargetedField: "CDN-Cache-Control", MaxAge: 7 });
        Assert.True(Parse("CDN-Cache-Control: " + value, "Cache-Control: no-store") is { TargetedField: null, NoStore: true });
    }

    [Theory]
    [InlineData("max-age=3600", 3600L)]
    [InlineData("foobar, max-age=3600", 3600L)]
    [InlineData("max-age=3600;private", 3600L)]
    [InlineData("max-age=99999999999", 2147483648L)]
    [InlineData("max-age=-1", 0L)]
    [InlineData("max-age=1, max-age=2", 2L)]
    [InlineData("max-age=\"10000\"", null)]
    [InlineData("max-age=1.5", null)]
    [InlineData("max-age", null)]
    public void Max_age_is_an_integer(string value, long? expected) =>
        Assert.Equal(expected, Parse("CDN-Cache-Control: " + value, "Cache-Control: max-age=5").MaxAge);

    [Theory]
    [InlineData("no-store", true)]
    [InlineData("no-store=?1;x=y", true)]
    [InlineData("no-store=?0", false)]
    [InlineData("no-store=1", false)]
    public void Flags_are_booleans(string value, bool expected) =>
        Assert.Equal(expected, Parse("CDN-Cache-Control: " + value).NoStore);

    [Theory]
    [InlineData("no-cache", true, "")]
    [InlineData("no-cache=?0", false, "")]
    [InlineData("no-cache=\"a, b\"", false, "a,b")]
    [InlineData("no-cache=a", false, "a")]
    [InlineData("no-cache=\"\"", true, "")]
    [InlineData("no-cache=5", false, "")]
    public void No_cache_takes_a_list_of_fields(string value, bool unqualified, string fields)
    {
        var directives = Parse("CDN-Cache-Control: " + value);
        Assert.Equal((unqualified, fields), (directives.NoCache, string.Join(',', directives.NoCacheFields)));
    }

    [Fact]
    public void Every_directive_has_its_place() =>
        Assert.True(Parse("CDN-Cache-Control: public, private=x, must-revalidate, proxy-revalidate, must-understand, no-transform",
            "CDN-Cache-Control: s-maxage=2, stale-while-revalidate=3, stale-if-error=4")
            is
        {
            Public: true, Private: false, PrivateFields: ["x"], MustRevalidate: true, ProxyRevalidate: true, MustUnderstand: true,
            NoTransform: true, SMaxAge: 2, StaleWhileRevalidate: 3, StaleIfError: 4,
        });

    [Fact]
    public void Expires_is_ignored_where_one_governs()
    {
        var policy = new CachePolicy();
        Assert.Equal(FreshnessSource.None, Given.Freshness(policy, 200, "CDN-Cache-Control: foo", "Expires: " + Given.Date(100)).Source);
        Assert.Equal(FreshnessSource.Expires, Given.Freshness(policy, 200, "CDN-Cache-Control: ", "Expires: " + Given.Date(100)).Source);
    }
}

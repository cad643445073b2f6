using CsCheck;

namespace CdnEdge.Caching.Tests;

public class CacheControlTests
{
    private static ResponseDirectives Parse(params string[] lines) =>
        Given.Directives(new CachePolicy(), [.. lines.Select(line => "Cache-Control: " + line)]);

    [Theory]
    [InlineData("max-age=3600", 3600L)]
    [InlineData("MaX-aGe=3600", 3600L)]
    [InlineData("max-age=\"3600\"", 3600L)]
    [InlineData("max-age=003600", 3600L)]
    [InlineData("foobar, max-age=3600", 3600L)]
    [InlineData("foo=\"a, b\",max-age=3600,", 3600L)]
    [InlineData(",, max-age=3600", 3600L)]
    [InlineData("max-age=99999999999999999999999", 2147483648L)]
    [InlineData("max-age=2147483649", 2147483648L)]
    [InlineData("extension=\"max-age=3600\", max-age=1", 1L)]
    [InlineData("max-age=1, extension=\"max-age=3600\"", 1L)]
    [InlineData("extension=\"a \\\" max-age=3600\", max-age=1", 1L)]
    [InlineData("extension=\"max-age=3600\"", null)]
    [InlineData("s-maxage=1", null)]
    [InlineData("xmax-age=1", null)]
    public void Max_age_is_read(string line, long? expected) => Assert.Equal(expected, Parse(line).MaxAge);

    [Theory]
    [InlineData("max-age")]
    [InlineData("max-age=")]
    [InlineData("max-age=-3600")]
    [InlineData("max-age=a3600")]
    [InlineData("max-age=3600a")]
    [InlineData("max-age=3600.5")]
    [InlineData("max-age='3600'")]
    [InlineData("max-age =3600")]
    [InlineData("max-age= 3600")]
    [InlineData("max-age=3600 3600")]
    [InlineData("max-age=\"3600")]
    [InlineData("max-age=\"3600\"1")]
    public void A_max_age_that_makes_no_sense_is_zero(string line) => Assert.Equal(0, Parse(line).MaxAge);

    [Fact]
    public void Of_several_values_the_smallest_counts()
    {
        Assert.Equal(1, Parse("max-age=1800, max-age=1").MaxAge);
        Assert.Equal(1, Parse("max-age=1", "max-age=1800").MaxAge);
        Assert.Equal(0, Parse("max-age=1800, max-age=x").MaxAge);
        Assert.Equal(5, Parse("s-maxage=10, max-age=7", "s-maxage=5").SMaxAge);
    }

    [Theory]
    [InlineData("No-StOrE")]
    [InlineData("max-age=10, no-store")]
    [InlineData("no-store=foo")]
    [InlineData("no-store foo")]
    [InlineData("foo=\"bar, no-store")]
    [InlineData("=x, no-store")]
    [InlineData("\"quoted\", no-store")]
    public void No_store_is_found_whatever_stands_around_it(string line) => Assert.True(Parse(line).NoStore);

    [Theory]
    [InlineData("extension=\"no-store\"")]
    [InlineData("no-stored")]
    [InlineData("")]
    public void No_store_is_not_seen_where_it_is_not(string line) => Assert.False(Parse(line).NoStore);

    [Theory]
    [InlineData("no-cache", true, "")]
    [InlineData("no-cache=\"a, b\"", false, "a,b")]
    [InlineData("no-cache=a", false, "a")]
    [InlineData("no-cache=\"a\", no-cache=\"b\"", false, "a,b")]
    [InlineData("no-cache=\"a\", no-cache", true, "a")]
    [InlineData("no-cache=\"\"", true, "")]
    [InlineData("no-cache=", true, "")]
    [InlineData("no-cache=\"a b\"", true, "")]
    [InlineData("no-cache=\"a", true, "")]
    [InlineData("no-cache= \"a\"", true, "")]
    public void No_cache_is_qualified_only_by_a_proper_list(string line, bool unqualified, string fields)
    {
        var directives = Parse(line);
        Assert.Equal((unqualified, fields), (directives.NoCache, string.Join(',', directives.NoCacheFields)));
    }

    [Theory]
    [InlineData("private", true, "")]
    [InlineData("private=\"Set-Cookie\"", false, "Set-Cookie")]
    [InlineData("private=@", true, "")]
    public void Private_is_qualified_only_by_a_proper_list(string line, bool unqualified, string fields)
    {
        var directives = Parse(line);
        Assert.Equal((unqualified, fields), (directives.Private, string.Join(',', directives.PrivateFields)));
    }

    [Fact]
    public void Every_directive_has_its_place()
    {
        var directives = Parse("public, must-revalidate, proxy-revalidate, must-understand, no-transform",
            "max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4");

        Assert.True(directives is
        {
            Public: true, MustRevalidate: true, ProxyRevalidate: true, MustUnderstand: true, NoTransform: true,
            NoStore: false, NoCache: false, Private: false,
            MaxAge: 1, SMaxAge: 2, StaleWhileRevalidate: 3, StaleIfError: 4, TargetedField: null,
        });
    }

    [Theory]
    [InlineData("public=1")]
    [InlineData("public x")]
    public void What_allows_counts_only_when_written_properly(string line) => Assert.False(Parse(line).Public);

    [Fact]
    public void The_policy_may_override_or_ignore_what_the_origin_says()
    {
        Assert.True(Given.Directives(new CachePolicy { OverrideCacheControl = "public, max-age=60" },
            "Cache-Control: no-store", "CDN-Cache-Control: no-store") is { NoStore: false, Public: true, MaxAge: 60 });
        Assert.Same(ResponseDirectives.None, Given.Directives(new CachePolicy { IgnoreOriginCacheControl = true },
            "Cache-Control: no-store", "CDN-Cache-Control: no-store"));
    }

    [Fact]
    public void Equal_lines_share_what_they_parsed_to() => Assert.Same(Parse("max-age=4711"), Parse("max-age=4711"));

    [Fact]
    public void No_text_makes_it_throw() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["maxagenoprivte-=\"\\, \t0123456789"], 0, 60]).Array[0, 3]
            .Sample(lines => Parse(lines) is not null);

    /// <summary>Whatever comes before a directive, joined properly, doesn't hide it.</summary>
    [Fact]
    public void A_directive_on_its_own_line_is_always_seen() =>
        Gen.String[Gen.Char["maxage-=\"\\, \t0123"], 0, 30].Sample(noise => Parse(noise, "no-store, private").NoStore
            && Parse(noise, "no-store, private").Private);

    [Fact]
    public void Of_any_values_in_any_order_and_on_any_lines_the_smallest_counts() =>
        Gen.Select(Gen.Int[0, 1_000_000].Array[1, 6], Gen.Bool).Sample((values, sameLine) =>
        {
            var lines = values.Select(value => $"max-age={value}").ToArray();
            Assert.Equal(values.Min(), (sameLine ? Parse(string.Join(", ", lines)) : Parse(lines)).MaxAge);
        });
}

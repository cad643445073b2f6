namespace CdnEdge.Security.Tests;

/// <summary>Which entries of the configuration a host's site is made of.</summary>
public sealed class SiteTableTests
{
    [Theory]
    [InlineData("www.example.org", "max-age=3")]
    [InlineData("WWW.EXAMPLE.ORG", "max-age=3")]
    [InlineData("img.example.org", "max-age=2")]
    [InlineData("a.b.example.org", "max-age=2")]
    [InlineData("example.org", "max-age=1")]
    [InlineData("badexample.org", "max-age=1")]
    [InlineData("", "max-age=1")]
    public void The_best_fitting_entry_counts(string host, string hsts)
    {
        var table = Table(("*", Hsts(1)), ("*.example.org", Hsts(2)), ("www.example.org", Hsts(3)));

        Assert.Equal(hsts, table.Find(host).Hsts.ToString());
    }

    [Theory]
    [InlineData("www.example.org.")]
    [InlineData("www.example.org:8443")]
    [InlineData("WWW.example.org.:0443")]
    [InlineData("xn--bcher-kva.example")]
    [InlineData("bücher.example")]
    [InlineData("BÜCHER.example.:80")]
    [InlineData("[2001:db8::1]:8443")]
    public void No_spelling_of_a_host_gets_round_its_entry(string host)
    {
        var table = Table(("www.example.org", Hsts(3)), ("bücher.example", Hsts(3)), ("[2001:db8::1]", Hsts(3)));
        var other = Table(("xn--bcher-kva.example", Hsts(3)));

        Assert.Equal("max-age=3", table.Find(host).Hsts.ToString());
        Assert.Equal(host.Contains("cher", StringComparison.OrdinalIgnoreCase), other.Find(host).Hsts.Count > 0);
    }

    [Fact]
    public void A_longer_wildcard_fits_better()
    {
        var table = Table(("*.org", Hsts(1)), ("*.img.example.org", Hsts(3)), ("*.example.org", Hsts(2)));

        Assert.Equal("max-age=3", table.Find("a.img.example.org").Hsts.ToString());
        Assert.Equal("max-age=2", table.Find("img.example.org").Hsts.ToString());
        Assert.Same(Site.Open, table.Find("example.com"));
    }

    [Fact]
    public void What_an_entry_does_not_say_the_next_best_says()
    {
        var table = Table(
            ("*", new SiteOptions { HttpsRedirect = true, HttpsPort = 8443, SecurityHeaders = true, Headers = { ["X-One"] = "all", ["X-Two"] = "all" } }),
            ("www.example.org", new SiteOptions { HttpsRedirect = false, Hsts = new(), Headers = { ["x-two"] = "own", ["X-Frame-Options"] = "" } }));

        var site = table.Find("www.example.org");

        Assert.False(site.RedirectsToHttps);
        Assert.Equal(8443, site.HttpsPort);
        Assert.Equal("max-age=31536000", site.Hsts.ToString());
        var headers = site.Headers.ToDictionary(static field => field.Key, static field => field.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Assert.Equal("all", headers["X-One"]);
        Assert.Equal("own", headers["X-Two"]);
        Assert.Equal("nosniff", headers["X-Content-Type-Options"]);
        Assert.DoesNotContain("X-Frame-Options", headers.Keys);
        Assert.True(table.Find("other.example.org").RedirectsToHttps);
    }

    [Fact]
    public void Strict_transport_is_spelt_as_browsers_read_it()
    {
        Assert.Equal("max-age=0", StrictTransport.Field(new HstsOptions { MaxAge = TimeSpan.Zero }));
        Assert.Equal("max-age=31536000; includeSubDomains; preload", StrictTransport.Field(new HstsOptions { IncludeSubDomains = true, Preload = true }));
    }

    private static SiteOptions Hsts(int seconds) => new() { Hsts = new HstsOptions { MaxAge = TimeSpan.FromSeconds(seconds) } };

    private static SiteTable Table(params (string Host, SiteOptions Options)[] sites) =>
        new(sites.Select(static site => KeyValuePair.Create(site.Host, site.Options)), new LimitOptions());
}

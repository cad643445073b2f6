namespace CdnEdge.Caching.Tests;

public class StoredHeadTests
{
    private static string? Field(StoredHead head, string name) =>
        head.Fields.Where(field => field.Name == name).Select(field => field.Value.ToString()).SingleOrDefault();

    private static StoredHead Freshen(StoredHead head, double after, params string[] lines) =>
        Freshen(head, new CachePolicy(), after, lines);

    private static StoredHead Freshen(StoredHead head, CachePolicy policy, double after, params string[] lines) =>
        head.Freshen(Given.Headers(lines), policy, Given.Now.AddSeconds(after), Given.Now.AddSeconds(after));

    [Theory]
    [InlineData("Connection")]
    [InlineData("Keep-Alive")]
    [InlineData("Proxy-Connection")]
    [InlineData("Proxy-Authenticate")]
    [InlineData("proxy-authentication-info")]
    [InlineData("Proxy-Authorization")]
    [InlineData("TE")]
    [InlineData("Trailer")]
    [InlineData("Transfer-Encoding")]
    [InlineData("Upgrade")]
    [InlineData("Age")]
    [InlineData("Content-Length")]
    [InlineData("CdnEdge-CDN-Cache-Control")]
    public void Some_fields_are_not_stored(string name) =>
        Assert.DoesNotContain(Given.Stored(name + ": 1").Fields, field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    [Theory]
    [InlineData("Test-Header")]
    [InlineData("Content-Foo")]
    [InlineData("Content-Range")]
    [InlineData("Cache-Status")]
    [InlineData("CDN-Cache-Control")]
    [InlineData("Set-Cookie2")]
    public void Others_are(string name) => Assert.Equal("value", Field(Given.Stored(name + ": value"), name));

    [Fact]
    public void Connection_nominates_fields_to_leave_out()
    {
        var head = Given.Stored("Connection: a, B", "Connection: close", "a: 1", "b: 2", "c: 3");
        Assert.Equal(["c", "Date"], head.Fields.Select(field => field.Name));
    }

    [Fact]
    public void No_cache_and_private_name_fields_to_leave_out()
    {
        var head = Given.Stored("Cache-Control: no-cache=\"a, b\", private=\"d\"", "a: 1", "b: 2", "c: 3", "D: 4");
        Assert.Equal(["Cache-Control", "c", "Date"], head.Fields.Select(field => field.Name));
    }

    [Theory]
    [InlineData(SetCookiePolicy.Store, "a=b")]
    [InlineData(SetCookiePolicy.Strip, null)]
    [InlineData(SetCookiePolicy.Bypass, null)]
    public void Cookies_are_stored_only_by_policy(SetCookiePolicy setting, string? expected) =>
        Assert.Equal(expected, Field(Given.Stored(new CachePolicy { SetCookie = setting }, "Set-Cookie: a=b"), "Set-Cookie"));

    [Fact]
    public void Lines_keep_their_order()
    {
        var link = Given.Stored("Link: </a>", "Link: </b>").Fields.Single(field => field.Name == "Link");
        Assert.Equal(["</a>", "</b>"], link.Value.ToArray());
    }

    [Theory]
    [InlineData("Date: foo")]
    [InlineData("X: y")]
    public void There_is_always_a_date(string line)
    {
        var head = Given.Stored(line);
        Assert.Equal((Given.Date(), Given.Now), (Field(head, "Date"), head.Date));
    }

    [Fact]
    public void A_good_date_is_kept()
    {
        var head = Given.Stored("Date: " + Given.Date(-100));
        Assert.Equal((Given.Date(-100), Given.Now.AddSeconds(-100)), (Field(head, "Date"), head.Date));
    }

    [Fact]
    public void Validators_are_parsed_once()
    {
        var head = Given.Stored("ETag: W/\"x\"", "Last-Modified: " + Given.Date(-50));
        Assert.Equal((new EntityTag("W/\"x\"", true), Given.Now.AddSeconds(-50)), (head.ETag!.Value, head.LastModified!.Value));

        var none = Given.Stored("Last-Modified: yesterday");
        Assert.True(none is { ETag: null, LastModified: null });
    }

    [Fact]
    public void Names_and_values_that_many_have_are_shared()
    {
        var first = Given.Stored("content-type: text/html; charset=utf-8", "x-my: 17 and more").Fields;
        var second = Given.Stored("Content-Type: text/html; charset=utf-8", "x-my: 17 and more").Fields;
        Assert.Same("Content-Type", first[0].Name);
        Assert.Same(first[0].Value[0], second[0].Value[0]);
        Assert.Same(first[1].Value[0], second[1].Value[0]);
    }

    [Theory]
    [InlineData("max-age=1", false, 0)]
    [InlineData("max-age=1, stale-while-revalidate=9, stale-if-error=9", false, 9)]
    [InlineData("max-age=1, stale-while-revalidate=9, stale-if-error=9, must-revalidate", true, 0)]
    [InlineData("max-age=1, stale-while-revalidate=9, stale-if-error=9, no-cache", true, 0)]
    [InlineData("s-maxage=1, stale-while-revalidate=9, stale-if-error=9", true, 0)]
    public void Windows_are_those_of_the_origin_unless_it_forbids_staleness(string cacheControl, bool forbids, int seconds)
    {
        var head = Given.Stored("Cache-Control: " + cacheControl);
        var window = TimeSpan.FromSeconds(seconds);
        Assert.Equal((forbids, window, window, forbids ? TimeSpan.Zero : TimeSpan.FromHours(1)),
            (head.ForbidsStale, head.StaleWhileRevalidate, head.StaleIfError, head.Grace));
    }

    // Freshening: RFC 9111 §3.2, §4.3.4

    [Theory]
    [InlineData("Test-Header", "a", "b")]
    [InlineData("X-Content-Foo", "a", "b")]
    [InlineData("Content-Location", "/foo", "/bar")]
    [InlineData("Content-Security-Policy", "default-src 'self'", "default-src 'none'")]
    [InlineData("Content-Type", "text/plain", "text/plain;charset=utf-8")]
    [InlineData("Expires", "Fri, 01 Jan 2038 01:01:01 GMT", "Mon, 11 Jan 2038 11:11:11 GMT")]
    [InlineData("Cache-Control", "max-age=1", "max-age=3600")]
    [InlineData("Public-Key-Pins", "a", "b")]
    [InlineData("Set-Cookie2", "a=b", "a=c")]
    public void A_304_replaces_fields(string name, string before, string after)
    {
        var stored = Given.Stored($"{name}: {before}", "ETag: \"x\"");
        Assert.Equal(after, Field(Freshen(stored, 5, $"{name}: {after}"), name));
        Assert.Equal(before, Field(Freshen(stored, 5, "ETag: \"x\""), name));
    }

    [Theory]
    [InlineData("Content-Encoding", "gzip", "br")]
    [InlineData("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g==")]
    [InlineData("Content-Range", "bytes 0-4/10", "bytes 5-9/10")]
    [InlineData("Content-Digest", "sha-256=:aa:", "sha-256=:bb:")]
    [InlineData("ETag", "\"abcdef\"", "\"ghijkl\"")]
    [InlineData("Vary", "Accept", "Origin")]
    public void A_304_leaves_what_describes_the_stored_body(string name, string before, string after) =>
        Assert.Equal(before, Field(Freshen(Given.Stored($"{name}: {before}"), 5, $"{name}: {after}"), name));

    [Fact]
    public void A_304_brings_no_entity_tag_where_there_was_none() =>
        Assert.Null(Freshen(Given.Stored("Last-Modified: " + Given.Date(-50)), 5, "ETag: \"new\"").ETag);

    [Fact]
    public void A_304_makes_it_fresh_again_by_the_stored_directives()
    {
        var stored = Given.Stored("Cache-Control: max-age=10", "Date: " + Given.Date(), "Age: 5");
        var fresh = Freshen(stored, 100);

        Assert.Equal(TimeSpan.FromSeconds(10), fresh.Freshness.Remaining(Given.Now.AddSeconds(100)));
        Assert.Equal(Given.Date(100), Field(fresh, "Date"));
        Assert.Same(stored.Variance, fresh.Variance);
        Assert.Equal(200, fresh.Status);
    }

    [Fact]
    public void A_304_brings_its_own_age_date_and_directives()
    {
        var fresh = Freshen(Given.Stored("Cache-Control: max-age=10", "Age: 5"), 100,
            "Cache-Control: max-age=50, must-revalidate", "Age: 20", "Date: " + Given.Date(90));

        Assert.Equal(TimeSpan.FromSeconds(30), fresh.Freshness.Remaining(Given.Now.AddSeconds(100)));
        Assert.Equal(Given.Now.AddSeconds(90), fresh.Date);
        Assert.True(fresh.ForbidsStale);
    }

    [Fact]
    public void A_304s_own_hop_by_hop_fields_and_cookies_stay_out()
    {
        var fresh = Freshen(Given.Stored("a: 1"), 5, "Connection: b", "b: 2", "Keep-Alive: 5", "Set-Cookie: a=b", "Content-Length: 0");
        Assert.Equal(["a", "Date"], fresh.Fields.Select(field => field.Name));
    }

    [Fact]
    public void A_field_that_no_cache_names_stays_out_when_a_304_brings_it()
    {
        var fresh = Freshen(Given.Stored("Cache-Control: max-age=10, no-cache=\"a\"", "a: 1"), 5, "a: 2");
        Assert.Null(Field(fresh, "a"));
    }

    [Fact]
    public void A_304_that_forbids_storing_says_so()
    {
        var stored = Given.Stored("Cache-Control: max-age=10");
        Assert.False(stored.MustBeDropped);
        Assert.True(Freshen(stored, 5, "Cache-Control: no-store").MustBeDropped);
        Assert.True(Freshen(stored, 5, "Cache-Control: private").MustBeDropped);
        Assert.False(Freshen(stored, 5, "Cache-Control: no-store, must-understand, max-age=5").MustBeDropped);
    }

    [Theory]
    [InlineData(100, "X: y")]
    [InlineData(100, "Cache-Control: max-age=1")]
    [InlineData(100, "CDN-Cache-Control: max-age=5")]
    [InlineData(7, "CdnEdge-CDN-Cache-Control: max-age=7")]
    public void A_targeted_field_goes_on_governing_though_it_is_not_passed_on(int expected, string line)
    {
        var stored = Given.Stored("Cache-Control: no-store", "CdnEdge-CDN-Cache-Control: max-age=100");
        var twice = Freshen(Freshen(stored, 5, line), 6);
        Assert.Equal(expected, twice.Freshness.Lifetime.TotalSeconds);
    }

    [Fact]
    public void A_targeted_field_that_the_policy_prefers_takes_over() =>
        Assert.Equal(7, Freshen(Given.Stored("CDN-Cache-Control: max-age=100"), 5, "CdnEdge-CDN-Cache-Control: max-age=7").Freshness.Lifetime.TotalSeconds);

    // HEAD: RFC 9111 §4.3.5

    [Theory]
    [InlineData(true)]
    [InlineData(true, "ETag: \"x\"", "Content-Length: 10", "Last-Modified: Mon, 09 Mar 2026 00:00:00 GMT")]
    [InlineData(false, "ETag: \"y\"")]
    [InlineData(false, "ETag: W/\"x\"")]
    [InlineData(false, "Content-Length: 11")]
    [InlineData(false, "Last-Modified: Mon, 09 Mar 2026 00:00:01 GMT")]
    [InlineData(false, "Last-Modified: yesterday")]
    public void A_head_agrees_where_nothing_that_it_says_differs(bool expected, params string[] lines) =>
        Assert.Equal(expected, Given.Stored("ETag: \"x\"", "Last-Modified: Mon, 09 Mar 2026 00:00:00 GMT").AgreesWithHead(Given.Headers(lines), 10));

    [Fact]
    public void A_head_with_a_validator_that_is_not_stored_does_not_agree()
    {
        var stored = Given.Stored("X: y");
        Assert.False(stored.AgreesWithHead(Given.Headers("ETag: \"x\""), 10));
        Assert.False(stored.AgreesWithHead(Given.Headers("Last-Modified: " + Given.Date(-10)), 10));
    }
}

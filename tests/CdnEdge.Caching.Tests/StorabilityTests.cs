namespace CdnEdge.Caching.Tests;

public class StorabilityTests
{
    private const string Fresh = "Cache-Control: max-age=60";

    private static readonly Uri Target = new("http://example.org/a/b?c=d");

    private static NoStoreReason Decide(
        string[] response,
        string[]? request = null,
        CachePolicy? policy = null,
        string method = "GET",
        int status = 200)
    {
        policy ??= new CachePolicy();
        var headers = Given.Headers(response);
        var requestHeaders = Given.Headers(request ?? []);
        var directives = ResponseDirectives.Parse(headers, policy);
        var freshness = Freshness.Of(status, headers, directives, policy, Given.Now, Given.Now);
        return Storability.Decide(method, Target, requestHeaders, RequestDirectives.Parse(requestHeaders), status, headers, directives, freshness, policy);
    }

    [Theory]
    [InlineData("max-age=60", "None")]
    [InlineData("s-maxage=60", "None")]
    [InlineData("no-store", "NoStore")]
    [InlineData("max-age=10000, no-store", "NoStore")]
    [InlineData("private, max-age=3600", "Private")]
    [InlineData("private=\"x\", max-age=3600", "None")]
    [InlineData("no-cache=\"x\", max-age=3600", "None")]
    [InlineData("no-store, must-understand, max-age=60", "None")]
    [InlineData("no-cache, max-age=60", "NotFresh")]
    [InlineData("max-age=0", "NotFresh")]
    [InlineData("public", "NotFresh")]
    [InlineData("max-age=0, stale-while-revalidate=60", "None")]
    [InlineData("max-age=0, stale-if-error=60", "None")]
    [InlineData("max-age=0, stale-if-error=60, must-revalidate", "NotFresh")]
    [InlineData("foo", "NotFresh")]
    public void Cache_control_decides(string cacheControl, string expected) =>
        Assert.Equal(Enum.Parse<NoStoreReason>(expected), Decide(["Cache-Control: " + cacheControl]));

    [Theory]
    [InlineData("ETag: \"abcd\"")]
    [InlineData("ETag: W/\"abcd\"")]
    [InlineData("Last-Modified: Mon, 09 Mar 2026 00:00:00 GMT")]
    public void With_a_validator_it_is_stored_to_be_validated(string validator)
    {
        Assert.Equal(NoStoreReason.None, Decide(["Cache-Control: no-cache", validator]));
        Assert.Equal(NoStoreReason.None, Decide(["Cache-Control: max-age=0, must-revalidate", validator]));
        Assert.Equal(NoStoreReason.None, Decide(["Expires: 0", validator]));
        Assert.Equal(NoStoreReason.None, Decide([validator]));
    }

    [Fact]
    public void Without_freshness_or_validator_it_is_no_use() => Assert.Equal(NoStoreReason.NotFresh, Decide([]));

    [Fact]
    public void What_arrives_stale_is_stored_while_staleness_may_be_asked_for()
    {
        Assert.Equal(NoStoreReason.None, Decide(["Cache-Control: max-age=1500", "Age: 2000"]));
        Assert.Equal(NoStoreReason.NotFresh, Decide(["Cache-Control: max-age=1500, must-revalidate", "Age: 2000"]));
    }

    [Theory]
    [InlineData(203)]
    [InlineData(204)]
    [InlineData(299)]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(410)]
    [InlineData(414)]
    [InlineData(451)]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(599)]
    public void Explicit_freshness_makes_any_status_storable(int status) =>
        Assert.Equal(NoStoreReason.None, Decide([Fresh], status: status));

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(403)]
    [InlineData(406)]
    [InlineData(407)]
    [InlineData(408)]
    [InlineData(409)]
    [InlineData(411)]
    [InlineData(412)]
    [InlineData(413)]
    [InlineData(415)]
    [InlineData(416)]
    [InlineData(417)]
    [InlineData(421)]
    [InlineData(422)]
    [InlineData(425)]
    [InlineData(426)]
    [InlineData(428)]
    [InlineData(429)]
    [InlineData(431)]
    [InlineData(505)]
    [InlineData(510)]
    [InlineData(511)]
    public void Statuses_that_a_request_can_provoke_need_the_policy_to_name_them(int status)
    {
        string[] response = ["Cache-Control: public, max-age=60"];
        Assert.Equal(NoStoreReason.Status, Decide(response, status: status));

        var byClass = new CachePolicy();
        byClass.StatusTtl[$"{status / 100}xx"] = TimeSpan.FromSeconds(5);
        Assert.Equal(NoStoreReason.Status, Decide(response, status: status, policy: byClass));

        var byTtl = new CachePolicy();
        byTtl.StatusTtl[$"{status}"] = TimeSpan.FromSeconds(5);
        Assert.Equal(NoStoreReason.None, Decide([], status: status, policy: byTtl));
        Assert.Equal(NoStoreReason.None, Decide(response, status: status, policy: new CachePolicy { StoreStatuses = [status] }));
        Assert.Equal(NoStoreReason.NotFresh, Decide([], status: status, policy: new CachePolicy { StoreStatuses = [status] }));
    }

    [Theory]
    [InlineData(QueryKeyMode.All, NoStoreReason.None)]
    [InlineData(QueryKeyMode.None, NoStoreReason.Status)]
    [InlineData(QueryKeyMode.Allow, NoStoreReason.Status)]
    [InlineData(QueryKeyMode.Deny, NoStoreReason.Status)]
    public void A_uri_too_long_is_about_the_key_only_if_the_whole_query_is_in_it(QueryKeyMode query, NoStoreReason reason) =>
        Assert.Equal(reason, Decide([Fresh], status: 414, policy: new CachePolicy { Key = { Query = query, QueryParameters = ["a"] } }));

    [Theory]
    [InlineData(100)]
    [InlineData(103)]
    [InlineData(304)]
    [InlineData(999)]
    public void Some_statuses_are_never_stored(int status) =>
        Assert.Equal(NoStoreReason.Status, Decide([Fresh], status: status, policy: new CachePolicy { StoreStatuses = [status] }));

    [Theory]
    [InlineData("max-age=3600, must-understand")]
    [InlineData("max-age=3600, no-store, must-understand")]
    public void Must_understand_wants_a_status_that_is_understood(string cacheControl)
    {
        Assert.Equal(NoStoreReason.Status, Decide(["Cache-Control: " + cacheControl], status: 599));
        Assert.Equal(NoStoreReason.None, Decide(["Cache-Control: " + cacheControl], status: 404));
    }

    [Fact]
    public void A_status_without_heuristic_needs_explicit_freshness_or_public()
    {
        string modified = "Last-Modified: " + Given.Date(-10_000);
        Assert.Equal(NoStoreReason.NotFresh, Decide([modified], status: 302));
        Assert.Equal(NoStoreReason.NotFresh, Decide([modified, "Cache-Control: no-cache"], status: 302));
        Assert.Equal(NoStoreReason.None, Decide([modified, "Cache-Control: public"], status: 302));
        Assert.Equal(NoStoreReason.None, Decide([modified, "Expires: 0"], status: 302));
        Assert.Equal(NoStoreReason.None, Decide([modified], status: 404));
    }

    [Theory]
    [InlineData("max-age=60", "Authorization")]
    [InlineData("max-age=60, public", "None")]
    [InlineData("max-age=60, must-revalidate", "None")]
    [InlineData("s-maxage=60", "None")]
    [InlineData("max-age=60, proxy-revalidate", "Authorization")]
    public void Authorization_wants_the_origin_to_say_so(string cacheControl, string expected) =>
        Assert.Equal(Enum.Parse<NoStoreReason>(expected), Decide(["Cache-Control: " + cacheControl], ["Authorization: Basic eA=="]));

    [Fact]
    public void The_request_may_forbid_it() =>
        Assert.Equal(NoStoreReason.RequestNoStore, Decide([Fresh], ["Cache-Control: no-store"]));

    [Theory]
    [InlineData("*")]
    [InlineData("Accept, *")]
    public void Vary_star_can_never_match(string vary) =>
        Assert.Equal(NoStoreReason.VaryStar, Decide([Fresh, "Vary: " + vary]));

    [Fact]
    public void Cookies_are_shared_only_by_policy_unless_the_origin_keeps_them_out_itself()
    {
        string[] response = [Fresh, "Set-Cookie: a=b"];
        Assert.Equal(NoStoreReason.SetCookie, Decide(response));
        Assert.Equal(NoStoreReason.None, Decide(response, policy: new CachePolicy { SetCookie = SetCookiePolicy.Strip }));
        Assert.Equal(NoStoreReason.None, Decide(response, policy: new CachePolicy { SetCookie = SetCookiePolicy.Store }));
        Assert.Equal(NoStoreReason.None, Decide([.. response, "Cache-Control: no-cache=\"set-cookie\""]));
        Assert.Equal(NoStoreReason.None, Decide([.. response, "Cache-Control: private=\"set-cookie\""]));
    }

    [Theory]
    [InlineData("text/html", HeuristicWithCookies.Assets, "Cookie")]
    [InlineData("text/html; charset=utf-8", HeuristicWithCookies.Always, "None")]
    [InlineData("image/png", HeuristicWithCookies.Assets, "None")]
    [InlineData("text/CSS; charset=utf-8", HeuristicWithCookies.Assets, "None")]
    [InlineData("font/woff2", HeuristicWithCookies.Assets, "None")]
    [InlineData("image/png", HeuristicWithCookies.Never, "Cookie")]
    [InlineData("", HeuristicWithCookies.Assets, "Cookie")]
    public void What_nobody_called_shareable_is_stored_with_cookies_only_by_policy(string type, HeuristicWithCookies setting, string expected)
    {
        var policy = new CachePolicy { HeuristicWithCookies = setting };
        string[] response = ["Content-Type: " + type, "Last-Modified: " + Given.Date(-1000)];
        Assert.Equal(Enum.Parse<NoStoreReason>(expected), Decide(response, ["Cookie: a=b"], policy));
        Assert.Equal(Enum.Parse<NoStoreReason>(expected), Decide(["Content-Type: " + type, "ETag: \"x\""], ["Cookie: a=b"], policy));
        Assert.Equal(NoStoreReason.None, Decide(response, [], policy));
    }

    [Theory]
    [InlineData("max-age=60")]
    [InlineData("public")]
    [InlineData("no-cache")]
    public void Cookies_make_no_difference_where_the_origin_spoke(string cacheControl) =>
        Assert.Equal(NoStoreReason.None,
            Decide(["Cache-Control: " + cacheControl, "Last-Modified: " + Given.Date(-1000), "Content-Type: text/html"], ["Cookie: a=b"]));

    [Theory]
    [InlineData("Content-Type: text/event-stream")]
    [InlineData("Content-Type: Text/Event-Stream; charset=utf-8")]
    [InlineData("Content-Type: application/grpc+proto")]
    [InlineData("Content-Type: multipart/x-mixed-replace; boundary=x")]
    [InlineData("Incremental: ?1")]
    public void Streams_are_not_stored(string field) => Assert.Equal(NoStoreReason.Stream, Decide([Fresh, field]));

    [Fact]
    public void A_request_may_ask_for_a_stream()
    {
        Assert.Equal(NoStoreReason.Stream, Decide([Fresh], ["Incremental: ?1"]));
        Assert.Equal(NoStoreReason.None, Decide([Fresh], ["Incremental: ?0"]));
    }

    [Theory]
    [InlineData("bytes 0-4/10", "text/plain", "None")]
    [InlineData("bytes 0-4/*", "text/plain", "None")]
    [InlineData("bytes 4-0/10", "text/plain", "PartialUnusable")]
    [InlineData("pages 0-4/10", "text/plain", "PartialUnusable")]
    [InlineData("", "text/plain", "PartialUnusable")]
    [InlineData("bytes 0-4/10", "multipart/byteranges; boundary=x", "PartialUnusable")]
    public void A_part_needs_a_place(string contentRange, string type, string expected) =>
        Assert.Equal(Enum.Parse<NoStoreReason>(expected),
            Decide([Fresh, "Content-Range: " + contentRange, "Content-Type: " + type], status: 206));

    [Theory]
    [InlineData("HEAD")]
    [InlineData("PUT")]
    [InlineData("get")]
    [InlineData("M-SEARCH")]
    public void Other_methods_are_not_stored(string method) =>
        Assert.Equal(NoStoreReason.Method, Decide([Fresh], method: method));

    [Fact]
    public void The_policy_chooses_among_the_methods_and_may_turn_it_off()
    {
        Assert.Equal(NoStoreReason.Method, Decide([Fresh], policy: new CachePolicy { Methods = ["POST"] }));
        Assert.Equal(NoStoreReason.Policy, Decide([Fresh], policy: new CachePolicy { Enabled = false }));
    }

    [Theory]
    [InlineData("Content-Location: /a/b?c=d", "Cache-Control: max-age=60", "None")]
    [InlineData("Content-Location: http://EXAMPLE.org:80/a/b?c=d#e", "Cache-Control: max-age=60", "None")]
    [InlineData("Content-Location: b?c=d", "Cache-Control: max-age=60", "None")]
    [InlineData("Content-Location: /a/b", "Cache-Control: max-age=60", "Method")]
    [InlineData("Content-Location: https://example.org/a/b?c=d", "Cache-Control: max-age=60", "Method")]
    [InlineData("Content-Location: /A/b?c=d", "Cache-Control: max-age=60", "Method")]
    [InlineData("Content-Type: text/plain", "Cache-Control: max-age=60", "Method")]
    [InlineData("Content-Location: /a/b?c=d", "Last-Modified: Mon, 09 Mar 2026 00:00:00 GMT", "Method")]
    public void A_post_is_stored_where_it_says_what_a_get_would_give(string location, string freshness, string expected) =>
        Assert.Equal(Enum.Parse<NoStoreReason>(expected), Decide([location, freshness], method: "POST"));

    [Fact]
    public void The_policys_lifetime_does_not_defeat_what_the_origin_forbids()
    {
        var policy = new CachePolicy { DefaultTtl = TimeSpan.FromHours(1), MinTtl = TimeSpan.FromHours(1) };
        policy.StatusTtl["200"] = TimeSpan.FromHours(1);
        Assert.Equal(NoStoreReason.NoStore, Decide(["Cache-Control: no-store"], policy: policy));
        Assert.Equal(NoStoreReason.Private, Decide(["Cache-Control: private"], policy: policy));
        Assert.Equal(NoStoreReason.NotFresh, Decide(["Cache-Control: no-cache"], policy: policy));
        Assert.Equal(NoStoreReason.None, Decide([], policy: policy));

        policy.IgnoreOriginCacheControl = true;
        Assert.Equal(NoStoreReason.None, Decide(["Cache-Control: no-store"], policy: policy));
    }

    [Fact]
    public void MinTtl_alone_gives_no_lifetime_where_there_is_none() =>
        Assert.Equal(NoStoreReason.NotFresh, Decide([], policy: new CachePolicy { MinTtl = TimeSpan.FromHours(1) }));

    [Fact]
    public void A_targeted_field_stands_above_cache_control()
    {
        Assert.Equal(NoStoreReason.None, Decide(["Cache-Control: no-store", "CDN-Cache-Control: max-age=10000"]));
        Assert.Equal(NoStoreReason.NoStore, Decide([Fresh, "CDN-Cache-Control: no-store"]));
        Assert.Equal(NoStoreReason.Private, Decide([Fresh, "CDN-Cache-Control: private"]));
        Assert.Equal(NoStoreReason.NotFresh, Decide(["Cache-Control: no-store", "CDN-Cache-Control: max-age=\"10000\""]));
        Assert.Equal(NoStoreReason.NoStore, Decide(["Cache-Control: no-store", "CDN-Cache-Control: max-age=10000, &&&&&"]));
    }
}

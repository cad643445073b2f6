using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Tests.Scene;
using static CdnEdge.Delivery.Tests.Compression.Sites;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>Conditions and ranges where there are several codings: each is a representation of its own.</summary>
public class ConditionTests
{
    private const string Gzip = "Accept-Encoding: gzip\r\n";
    private const string Dated = "Content-Type: text/html\r\nETag: \"v\"\r\nLast-Modified: Tue, 01 Sep 2020 12:00:00 GMT\r\n";

    [Theory]
    [InlineData(Browser, "\"v-br\"", 304)]
    [InlineData(Browser, "W/\"v-br\"", 304)]
    [InlineData(Browser, "\"x\", \"v-br\"", 304)]
    [InlineData(Browser, "*", 304)]
    [InlineData(Browser, "\"v\"", 200)]
    [InlineData(Browser, "\"v-gzip\"", 200)]
    [InlineData(Gzip, "\"v-gzip\"", 304)]
    [InlineData(Gzip, "\"v-br\"", 200)]
    [InlineData("", "\"v\"", 304)]
    [InlineData("", "\"v-br\"", 200)]
    public async Task A_tag_stands_for_one_coding(string accepted, string tag, int status)
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await FillAsync(site, "br", "gzip");

        var answer = await site.FetchAsync($"{accepted}If-None-Match: {tag}\r\n");

        Assert.Equal(status, answer.Status);
        Assert.Equal(accepted.Length == 0 ? "\"v\"" : accepted == Gzip ? "\"v-gzip\"" : "\"v-br\"", answer["ETag"]);
        Assert.Equal("Accept-Encoding", answer["Vary"]);
        Assert.Equal(status == 200 ? Page : "", answer.Text);
    }

    [Fact]
    public async Task A_weak_tag_stays_weak()
    {
        await using var origin = OriginOf(Page, "Content-Type: text/html\r\nETag: W/\"v\"\r\n");
        await using var site = await CachedSite.StartAsync(origin);
        await FillAsync(site, "br");

        Assert.Equal("W/\"v-br\"", (await site.FetchAsync(Browser))["ETag"]);
        Assert.Equal(304, (await site.FetchAsync(Browser + "If-None-Match: W/\"v-br\"\r\n")).Status);
    }

    [Fact]
    public async Task What_a_client_has_holds_though_it_is_not_here_any_more()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);

        // Given that nothing is stored, that it's stored and not compressed,
        var filled = await site.FetchAsync(Browser + "If-None-Match: \"v-br\"\r\n");
        await CachedSite.UntilAsync(() => site.Memory.Find(site.Key("/")) is not null, "the page in memory");
        site.StoredAt().TryBeginEncoding("br"); // nobody will end it, unless it has been begun
        var stored = await site.FetchAsync(Browser + "If-None-Match: \"v-br\"\r\n");

        Assert.All([filled, stored], answer => Assert.Equal((304, "\"v-br\"", "Accept-Encoding"), (answer.Status, answer["ETag"], answer["Vary"])));
        Assert.Equal(200, (await site.FetchAsync("If-None-Match: \"v-br\"\r\n")).Status);
    }

    [Fact]
    public async Task Where_what_is_sent_is_not_what_the_client_has_no_part_is_added_to_it()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync("");
        Assert.True(site.StoredAt().TryBeginEncoding("br")); // so that it stays as it is

        Assert.Equal(412, (await site.FetchAsync(Browser + "If-Match: \"v-br\"\r\nRange: bytes=5-9\r\n")).Status);
        Assert.Equal(200, (await site.FetchAsync(Browser + "If-Range: \"v-br\"\r\nRange: bytes=5-9\r\n")).Status);
        Assert.Equal(206, (await site.FetchAsync(Browser + "If-Range: \"v\"\r\nRange: bytes=5-9\r\n")).Status);
    }

    [Theory]
    [InlineData("bytes=10-19")]
    [InlineData("bytes=100-")]
    [InlineData("bytes=-7")]
    public async Task A_range_is_one_of_the_coding_that_is_sent(string range)
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await FillAsync(site, "br");
        var whole = (await site.FetchAsync(Browser)).Body;

        var part = await site.FetchAsync($"{Browser}Range: {range}\r\n");

        var (from, to) = range switch { "bytes=10-19" => (10, 20), "bytes=100-" => (100, whole.Length), _ => (whole.Length - 7, whole.Length) };
        Assert.Equal((206, "br", "\"v-br\""), (part.Status, part.Coding, part["ETag"]));
        Assert.Equal($"bytes {from}-{to - 1}/{whole.Length}", part["Content-Range"]);
        Assert.Equal(whole[from..to], part.Body);
        var behind = await site.FetchAsync($"{Browser}Range: bytes={whole.Length}-\r\n");
        Assert.Equal((416, $"bytes */{whole.Length}"), (behind.Status, behind["Content-Range"]));
        Assert.Equal(Page[10..20], (await site.FetchAsync("Range: bytes=10-19\r\n")).Text);
    }

    [Theory]
    [InlineData(Browser, "\"v-br\"", 206)]
    [InlineData(Browser, "\"v\"", 200)]
    [InlineData(Browser, "Tue, 01 Sep 2020 12:00:00 GMT", 200)] // it's the date of all codings
    [InlineData("", "Tue, 01 Sep 2020 12:00:00 GMT", 200)]
    [InlineData("", "\"v\"", 206)]
    [InlineData("", "\"v-br\"", 200)]
    public async Task If_range_never_joins_two_codings(string accepted, string validator, int status)
    {
        await using var origin = OriginOf(Page, Dated);
        await using var site = await CachedSite.StartAsync(origin);
        await FillAsync(site, "br");

        var answer = await site.FetchAsync($"{accepted}Range: bytes=5-9\r\nIf-Range: {validator}\r\n");

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 206 ? 5 : (await site.FetchAsync(accepted)).Body.Length, answer.Body.Length);
    }

    [Fact]
    public async Task Nor_does_it_while_the_page_is_only_coming()
    {
        // Given a page whose head has come,
        var rest = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                await connection.SendAsync(Response(Page, Dated)[..^1000]);
                await rest.Task;
                await connection.SendAsync(Page[^1000..]);
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        var first = site.FetchAsync("");
        await CachedSite.UntilAsync(() => site.FillOf("/") is { Head.Stored: not null }, "the head");

        var joining = site.FetchAsync("Range: bytes=5-9\r\nIf-Range: Tue, 01 Sep 2020 12:00:00 GMT\r\n");
        var part = site.FetchAsync("Range: bytes=5-9\r\nIf-Range: \"v\"\r\n");
        Assert.Equal((206, Page[5..10]), ((await part).Status, (await part).Text));
        rest.SetResult();

        Assert.Equal((200, Page), ((await joining).Status, (await joining).Text));
        Assert.Equal(Page, (await first).Text);
    }

    [Fact]
    public async Task A_date_is_enough_where_there_is_one_coding_only()
    {
        await using var origin = OriginOf(Page, Dated);
        await using var site = await CachedSite.StartAsync(origin, Policy(compression => compression.Enabled = false));
        await site.FetchAsync("");

        Assert.Equal(206, (await site.FetchAsync("Range: bytes=5-9\r\nIf-Range: Tue, 01 Sep 2020 12:00:00 GMT\r\n")).Status);
    }

    [Theory]
    [InlineData("\"v-br\"", "\"v-br\", \"v\"", "\"v-br\"")]
    [InlineData("\"x\", W/\"v-gzip\"", "\"x\", W/\"v-gzip\", W/\"v\"", "W/\"v-gzip\"")]
    [InlineData("\"v\"", "\"v\"", "\"v\"")]
    [InlineData("\"v-br\", \"v\"", "\"v-br\", \"v\"", "\"v\"")]
    public async Task What_goes_to_the_origin_names_what_the_origin_knows_and_the_client_hears_its_own(string sent, string expected, string heard)
    {
        // Given an origin that knows nothing of codings,
        var weak = sent.Contains("W/", StringComparison.Ordinal) ? "W/" : "";
        await using var origin = RawOrigin.Answering($"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\nETag: {weak}\"v\"\r\n\r\n");
        await using var site = await CachedSite.StartAsync(origin);

        // when a request of one visitor's own is forwarded,
        var answer = await site.FetchAsync($"{Browser}Authorization: Basic eA==\r\nIf-None-Match: {sent}\r\n");

        Assert.Equal((304, heard), (answer.Status, answer["ETag"]));
        Assert.Contains($"If-None-Match: {expected}\r\n", Assert.Single(origin.Requests), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task More_tags_than_any_browser_lists_are_forwarded_as_they_are()
    {
        // Twice as many would be more than origins take, and cost more to compare than to answer.
        var tags = string.Join(", ", Enumerable.Range(0, 500).Select(static i => $"\"{i}-br\""));
        await using var origin = RawOrigin.Answering("HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n");
        await using var site = await CachedSite.StartAsync(origin);

        await site.FetchAsync($"{Browser}Authorization: Basic eA==\r\nIf-None-Match: {tags}\r\n");

        Assert.Contains($"If-None-Match: {tags}\r\n", Assert.Single(origin.Requests), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_304_of_the_origins_says_that_there_are_other_forms()
    {
        await using var origin = RawOrigin.Answering(request =>
            request.Contains("If-None-Match", StringComparison.OrdinalIgnoreCase) ? "HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n" : Response(Page, freshness: "public, no-cache"));
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        await site.AwaitAsync("br");

        var answer = await site.FetchAsync($"{Browser}Authorization: Basic eA==\r\nIf-None-Match: \"v-br\"\r\n");

        Assert.Equal((304, "\"v-br\"", "Accept-Encoding"), (answer.Status, answer["ETag"], answer["Vary"]));
    }

    [Fact]
    public async Task An_origin_with_such_tags_of_its_own_is_asked_about_them()
    {
        await using var origin = RawOrigin.Answering(request =>
            request.Contains("\"v-gzip\"", StringComparison.Ordinal) ? "HTTP/1.1 304 Not Modified\r\nETag: \"v-gzip\"\r\n\r\n" : Response(Page));
        await using var site = await CachedSite.StartAsync(origin);

        var answer = await site.FetchAsync($"{Browser}Authorization: Basic eA==\r\nIf-None-Match: \"v-gzip\"\r\n");

        Assert.Equal((304, "\"v-gzip\""), (answer.Status, answer["ETag"]));
    }

    [Fact]
    public async Task Such_a_tag_of_the_origins_is_told_apart_from_ours()
    {
        await using var origin = OriginOf(Page, "Content-Type: text/html\r\nETag: \"v-br\"\r\n");
        await using var site = await CachedSite.StartAsync(origin);
        await FillAsync(site, "br");

        Assert.Equal("\"v-br-br\"", (await site.FetchAsync(Browser))["ETag"]);
        Assert.Equal(304, (await site.FetchAsync(Browser + "If-None-Match: \"v-br-br\"\r\n")).Status);
        Assert.Equal(200, (await site.FetchAsync(Browser + "If-None-Match: \"v-br\"\r\n")).Status);
        Assert.Equal(304, (await site.FetchAsync("If-None-Match: \"v-br\"\r\n")).Status);
    }

    [Theory]
    [InlineData("PUT", "", "\"v-br\", \"v\"")]
    [InlineData("PUT", "Range: bytes=0-1\r\n", "\"v-br\"")]
    [InlineData("GET", "Range: bytes=0-1\r\n", "\"v-br\"")] // the rest of what the client has isn't the origin's to give
    public async Task A_change_by_who_has_a_coded_form_is_allowed_by_the_plain_tag(string method, string fields, string expected)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 204 No Content\r\n\r\n");
        await using var site = await CachedSite.StartAsync(origin);

        await site.FetchAsync($"If-Match: \"v-br\"\r\n{fields}" + (method == "PUT" ? "Content-Length: 0\r\n" : ""), method: method);

        Assert.Contains($"If-Match: {expected}\r\n", Assert.Single(origin.Requests), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_rest_of_a_coded_form_is_never_asked_of_the_origin_by_its_plain_tag()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);

        await site.FetchAsync($"{Browser}Range: bytes=5-9\r\nIf-Range: \"v-br\"\r\n");

        Assert.Contains("If-Range: \"v-br\"\r\n", Assert.Single(origin.Requests), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Where_nothing_is_compressed_conditions_are_forwarded_as_they_are(bool isEnabled, bool compresses)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n");
        await using var site = await CachedSite.StartAsync(origin, new CachePolicy { Enabled = isEnabled, Compression = { Enabled = compresses } });

        var answer = await site.FetchAsync($"{Browser}Authorization: Basic eA==\r\nIf-None-Match: \"v-br\"\r\n");

        Assert.Equal("\"v\"", answer["ETag"]);
        Assert.Contains("If-None-Match: \"v-br\"\r\n", Assert.Single(origin.Requests), StringComparison.OrdinalIgnoreCase);
    }

    private static async Task FillAsync(CachedSite site, params string[] codings)
    {
        await site.FetchAsync("");
        foreach (var coding in codings)
            await site.AwaitAsync(coding, $"Accept-Encoding: {coding}\r\n");
    }
}

using System.IO.Compression;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Tests.Scene;
using static CdnEdge.Delivery.Tests.Compression.Sites;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>What clients get of a stored response that is compressed.</summary>
public class CompressionTests
{
    [Theory]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("gzip")]
    public async Task The_first_gets_it_as_it_came_and_those_who_come_later_compressed(string coding)
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);

        var first = await site.FetchAsync($"Accept-Encoding: {coding}\r\n");
        var later = await site.AwaitAsync(coding, $"Accept-Encoding: {coding}\r\n");

        Assert.Equal((null, "\"v\"", "Accept-Encoding", Page), (first.Coding, first["ETag"], first["Vary"], first.Text));
        Assert.Equal(($"\"v-{coding}\"", "Accept-Encoding", Page), (later["ETag"], later["Vary"], later.Text));
        Assert.Equal($"{later.Body.Length}", later["Content-Length"]);
        Assert.InRange(later.Body.Length, 1, Page.Length / 2);
        Assert.True(later.IsHit, later.ToString());
        Assert.Single(origin.Requests);
    }

    [Fact]
    public async Task Whoever_takes_no_coding_gets_none_and_is_told_that_others_may()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        await site.AwaitAsync("br");

        foreach (var fields in new[] { "", "Accept-Encoding: identity\r\n", "Accept-Encoding: deflate\r\n", Browser + "Cache-Control: no-transform\r\n" })
        {
            var answer = await site.FetchAsync(fields);
            Assert.Equal((200, null, "\"v\"", "Accept-Encoding", Page), (answer.Status, answer.Coding, answer["ETag"], answer["Vary"], answer.Text));
            Assert.True(answer.IsHit);
        }
    }

    [Fact]
    public async Task Equal_likings_are_decided_by_the_policy()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin, Policy(compression => compression.Encodings = ["zstd", "br"]));
        await site.FetchAsync(Browser);

        Assert.Equal(Page, (await site.AwaitAsync("zstd")).Text);
        Assert.Equal(Page, (await site.AwaitAsync("br", "Accept-Encoding: br, zstd;q=0.9\r\n")).Text);
        Assert.Null((await site.FetchAsync("Accept-Encoding: gzip\r\n")).Coding);
    }

    [Theory]
    [InlineData("Content-Type: image/jpeg\r\n", 10_000, "max-age=600")]
    [InlineData("Content-Type: text/html\r\n", 1023, "max-age=600")]
    [InlineData("Content-Type: text/html\r\n", 10_000, "max-age=600, no-transform")]
    [InlineData("Content-Type: text/html\r\nContent-Encoding: compress\r\n", 10_000, "max-age=600")]
    [InlineData("", 10_000, "max-age=600")]
    public async Task What_is_not_compressed_is_left_alone_and_says_nothing_of_it(string fields, int length, string freshness)
    {
        var body = new string('a', length);
        await using var origin = OriginOf(body, fields + "ETag: \"v\"\r\n", freshness);
        await using var site = await CachedSite.StartAsync(origin);

        for (var i = 0; i < 3; i++)
        {
            var answer = await site.FetchAsync(Browser);
            Assert.Equal((200, "\"v\"", null), (answer.Status, answer["ETag"], answer["Vary"]));
            Assert.Equal(body, Latin1(answer.Body));
        }

        Assert.Empty(site.StoredAt().Encoded);
    }

    [Fact]
    public async Task A_policy_may_turn_it_off()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin, Policy(compression => compression.Enabled = false));

        await site.FetchAsync(Browser);
        var hit = await site.FetchAsync(Browser);

        Assert.Equal((null, null, Page), (hit.Coding, hit["Vary"], hit.Text));
        Assert.Empty(site.StoredAt().Encoded);
    }

    [Fact]
    public async Task What_is_not_stored_passes_as_it_is()
    {
        await using var origin = OriginOf(Page, freshness: "no-store");
        await using var site = await CachedSite.StartAsync(origin);

        var answer = await site.FetchAsync(Browser);

        Assert.Equal((null, "\"v\"", null, Page), (answer.Coding, answer["ETag"], answer["Vary"], answer.Text));
    }

    [Fact]
    public async Task Vary_keeps_what_the_origin_named_and_digests_of_other_bytes_are_not_sent()
    {
        await using var origin = OriginOf(
            Page, "Content-Type: text/html\r\nVary: Origin\r\nContent-MD5: a\r\nRepr-Digest: sha-256=:AA==:\r\nContent-Digest: sha-256=:AA==:\r\nDigest: sha-256=AA==\r\nX-Other: kept\r\n");
        await using var site = await CachedSite.StartAsync(origin);

        var first = await site.FetchAsync(Browser);
        var coded = await site.AwaitAsync("br");

        string[] digests = ["Content-MD5", "Repr-Digest", "Content-Digest", "Digest"];
        Assert.All(digests, name => Assert.NotNull(first[name]));
        Assert.All(digests, name => Assert.Null(coded[name]));
        Assert.Equal(("Origin, Accept-Encoding", "kept", null), (coded["Vary"], coded["X-Other"], coded["ETag"]));
        Assert.Equal("Origin, Accept-Encoding", first["Vary"]);
    }

    [Fact]
    public async Task A_tag_that_cannot_be_told_apart_is_not_sent()
    {
        await using var origin = OriginOf(Page, "Content-Type: text/html\r\nETag: \"a\"\r\nETag: \"b\"\r\n");
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);

        Assert.Null((await site.AwaitAsync("br"))["ETag"]);
    }

    [Fact]
    public async Task A_head_tells_what_a_get_would_bring()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        var get = await site.AwaitAsync("br");

        var head = await site.FetchAsync(Browser, method: "HEAD");

        Assert.Empty(head.Body);
        foreach (var name in new[] { "Content-Encoding", "Content-Length", "ETag", "Vary", "Content-Type" })
            Assert.Equal(get[name], head[name]);
    }

    [Fact]
    public async Task So_it_does_where_the_origin_has_to_be_asked()
    {
        // Given something that is validated with each use, in Brotli too,
        await using var origin = RawOrigin.Answering(request =>
            request.StartsWith("HEAD", StringComparison.Ordinal) ? Response(Page, freshness: "no-cache")[..^Page.Length]
            : request.Contains("If-None-Match", StringComparison.Ordinal) ? "HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n"
            : Response(Page, freshness: "no-cache"));
        await using var site = await CachedSite.StartAsync(origin);
        var unstored = await site.FetchAsync(Browser, method: "HEAD");
        await site.FetchAsync(Browser);
        var get = await site.AwaitAsync("br");

        // when its head is asked for,
        var head = await site.FetchAsync(Browser, method: "HEAD");

        // then it's that of the Brotli form; and it said that there might be one before anything was stored.
        Assert.Contains("fwd=stale", head["Cache-Status"]);
        Assert.Equal("Accept-Encoding", unstored["Vary"]);
        foreach (var name in new[] { "Content-Encoding", "Content-Length", "ETag", "Vary" })
            Assert.Equal(get[name], head[name]);
    }

    [Fact]
    public async Task The_origins_own_coding_stays_as_it_is()
    {
        var coded = Latin1(Compress(Page));
        await using var origin = OriginOf(coded, "Content-Type: text/html\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\nETag: \"v-gzip\"\r\n");
        await using var site = await CachedSite.StartAsync(origin);

        for (var i = 0; i < 3; i++)
        {
            var answer = await site.FetchAsync(Browser);
            Assert.Equal(("gzip", "\"v-gzip\"", "Accept-Encoding", Page), (answer.Coding, answer["ETag"], answer["Vary"], answer.Text));
        }

        Assert.Empty(site.StoredAt().Encoded);
    }

    [Fact]
    public async Task Unless_it_is_to_be_compressed_anew()
    {
        var coded = Latin1(Compress(Page));
        await using var origin = OriginOf(coded, "Content-Type: text/html\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\nETag: \"v\"\r\n");
        await using var site = await CachedSite.StartAsync(origin, Policy(compression => compression.Recompress = true));
        await site.FetchAsync(Browser);

        var anew = await site.AwaitAsync("br");
        var asStored = await site.FetchAsync("Accept-Encoding: gzip, deflate\r\n");

        Assert.Equal(("\"v-br\"", Page), (anew["ETag"], anew.Text));
        Assert.InRange(anew.Body.Length, 1, coded.Length * 95 / 100);
        Assert.Equal(("gzip", "\"v\"", Page), (asStored.Coding, asStored["ETag"], asStored.Text));
    }

    [Fact]
    public async Task A_validation_keeps_it_and_another_body_does_not()
    {
        var version = 1;
        await using var origin = RawOrigin.Answering(request =>
            request.Contains($"If-None-Match: \"{version}\"", StringComparison.OrdinalIgnoreCase)
                ? $"HTTP/1.1 304 Not Modified\r\nETag: \"{version}\"\r\nCache-Control: no-cache\r\n\r\n"
                : Response(Page + version, $"Content-Type: text/html\r\nETag: \"{version}\"\r\n", "no-cache"));
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        Assert.Equal("\"1-br\"", (await site.AwaitAsync("br"))["ETag"]);
        var stored = site.StoredAt();

        var validated = await site.FetchAsync(Browser);
        Assert.Equal(("br", "\"1-br\"", Page + "1"), (validated.Coding, validated["ETag"], validated.Text));
        Assert.Contains("fwd-status=304", validated["Cache-Status"]);
        Assert.Same(stored, site.StoredAt());

        version = 2;
        var changed = await site.FetchAsync(Browser);
        Assert.Equal((null, "\"2\"", Page + "2"), (changed.Coding, changed["ETag"], changed.Text));
        Assert.Equal(Page + "2", (await site.AwaitAsync("br")).Text);
    }

    [Fact]
    public async Task Another_node_gets_what_is_stored_and_no_word_of_codings()
    {
        await using var origin = OriginOf(Page);
        await using var node = await Peering.PeeredSite.StartAsync(origin);
        var filled = new Answer((await node.AskAsync("/", Browser)).Answer);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Empty(node.Site.StoredAt().Encoded); // it wasn't a visitor who fetched it
        await node.Site.AwaitAsync("br");

        var hit = new Answer((await node.AskAsync("/", Browser)).Answer);
        var head = new Answer((await node.AskAsync("/", Browser, HttpMethod.Head)).Answer);

        Assert.All([filled, hit, head], answer => Assert.Equal((200, null, "\"v\"", null), (answer.Status, answer.Coding, answer["ETag"], answer["Vary"])));
        Assert.Equal((Page, Page), (filled.Text, hit.Text));
    }

    private static byte[] Compress(string text)
    {
        using var coded = new MemoryStream();
        using (var gzip = new GZipStream(coded, CompressionLevel.Fastest))
            gzip.Write(System.Text.Encoding.Latin1.GetBytes(text));
        return coded.ToArray();
    }
}

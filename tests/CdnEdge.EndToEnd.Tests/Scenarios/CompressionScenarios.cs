using System.IO.Compression;
using System.Net;
using System.Text;
using CdnEdge.EndToEnd.Tests.Harness;
using ZstdSharp;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What is stored leaves compressed, once it has been in the background.</summary>
public sealed class CompressionScenarios(CompressionScenarios.RecompressingEdge edge) : IClassFixture<CompressionScenarios.RecompressingEdge>
{
    private const string Browser = "Accept-Encoding: gzip, deflate, br, zstd";
    private const string Html = "Content-Type: text/html; charset=utf-8";

    /// <summary>Some 35 KiB.</summary>
    private static readonly string Page = string.Concat(Enumerable.Range(0, 1000).Select(static i => $"<li class=\"item\">Number {(uint)(i * 2654435761L):x8}</li>\n"));

    /// <summary>The defaults, and the path that recompresses beside them.</summary>
    public sealed class RecompressingEdge : Edge
    {
        private protected override IReadOnlyDictionary<string, string> Environment =>
            new Dictionary<string, string> { ["CdnEdge__Policies__default__Compression__Recompress"] = "true" };
    }

    [Theory]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("gzip")]
    public async Task The_second_visitor_gets_it_in_the_coding_that_both_take(string coding)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html, "ETag: \"v\""));

        var first = await edge.Get(page, $"Accept-Encoding: {coding}");
        var later = await Await(page, coding, $"Accept-Encoding: {coding}");

        Assert.Equal((null, "\"v\"", "Accept-Encoding", Page), (first.Headers["Content-Encoding"], first.Headers["ETag"], first.Headers["Vary"], first.Text));
        Assert.Equal(($"\"v-{coding}\"", "Accept-Encoding", Page), (later.Headers["ETag"], later.Headers["Vary"], Decode(later)));
        Assert.Equal((later.Body.Length, BodyEnd.Whole), (later.Headers.Number("Content-Length"), later.End));
        Assert.InRange(later.Body.Length, 1, Page.Length / 2);
        Assert.True(later.IsHit, later.CacheStatus);
        Assert.Single(page.Requests);
    }

    [Theory]
    [InlineData("gzip;q=1, br;q=0.9, zstd;q=0.8", "gzip")]
    [InlineData("*", "br")]
    [InlineData("br;q=0, *;q=0.5", "zstd")]
    [InlineData("x-gzip", "gzip")]
    public async Task The_clients_weights_decide(string accepted, string coding)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html));
        await edge.Get(page, $"Accept-Encoding: {accepted}");

        Assert.Equal(Page, Decode(await Await(page, coding, $"Accept-Encoding: {accepted}")));
    }

    [Theory]
    [InlineData("identity;q=1, br;q=0.5")]
    [InlineData("br;q=0, gzip;q=0, zstd;q=0")]
    [InlineData("deflate")]
    public async Task So_they_do_against_any_coding(string accepted)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html));
        await edge.Get(page, Browser);
        await Await(page, "br");

        var plain = await edge.Get(page, $"Accept-Encoding: {accepted}");

        Assert.Equal((null, "Accept-Encoding", Page), (plain.Headers["Content-Encoding"], plain.Headers["Vary"], plain.Text));
    }

    [Theory]
    [InlineData("image/jpeg", 30_000, "", false)]
    [InlineData("font/woff2", 30_000, "", false)]
    [InlineData("text/css", 1023, "", false)]
    [InlineData("text/css", 30_000, ", no-transform", false)]
    [InlineData("text/css", 1024, "", true)]
    [InlineData("image/svg+xml", 30_000, "", true)]
    [InlineData("application/json", 30_000, "", true)]
    public async Task What_is_worth_it_is_compressed(string type, int length, string directive, bool isCompressed)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(200, [$"Cache-Control: max-age=600{directive}", $"Content-Type: {type}", "ETag: \"v\""], Page[..length]));
        var first = await edge.Get(page, Browser);

        // What is compressed at all is compressed after this one.
        var after = edge.Origin.Serves(origin => origin.Fresh(Page, Html));
        await edge.Get(after, Browser);
        var answer = isCompressed ? await Await(page, "br") : null;
        await Await(after, "br");
        answer ??= await edge.Get(page, Browser);

        Assert.Equal((isCompressed ? "Accept-Encoding" : null, isCompressed ? "\"v-br\"" : "\"v\""), (first.Headers["Vary"], answer.Headers["ETag"]));
        Assert.Equal(Page[..length], Decode(answer));
    }

    [Fact]
    public async Task What_is_one_visitors_own_leaves_as_it_came()
    {
        // Given a page with a secret of its reader, and what somebody else has put into its URL (BREACH),
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html, "Vary: Cookie"));
        await edge.Get(page, Browser, "Cookie: session=1");
        var others = edge.Origin.Serves(origin => origin.Fresh(Page, Html, "Vary: Cookie"));

        // when there has been time enough to compress it,
        await edge.Get(others, Browser);
        await Await(others, "br");
        var again = await edge.Get(page, Browser, "Cookie: session=1");

        Assert.Equal((null, "Cookie", Page, true), (again.Headers["Content-Encoding"], again.Headers["Vary"], again.Text, again.IsHit));
    }

    [Fact]
    public async Task Validation_works_for_each_form_by_itself()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html, "ETag: \"v\""));
        await edge.Get(page, Browser);
        await Await(page, "br");

        var own = await edge.Get(page, Browser, "If-None-Match: \"v-br\"");
        var plain = await edge.Get(page, "If-None-Match: \"v\"");
        var another = await edge.Get(page, Browser, "If-None-Match: \"v\"");
        var coded = await edge.Get(page, "If-None-Match: \"v-br\"");

        Assert.Equal((304, "\"v-br\"", "Accept-Encoding"), (own.Status, own.Headers["ETag"], own.Headers["Vary"]));
        Assert.Equal((304, "\"v\"", "Accept-Encoding"), (plain.Status, plain.Headers["ETag"], plain.Headers["Vary"]));
        Assert.Equal((200, "br", Page), (another.Status, another.Headers["Content-Encoding"], Decode(another)));
        Assert.Equal((200, null, Page), (coded.Status, coded.Headers["Content-Encoding"], coded.Text));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task What_a_browser_kept_holds_after_it_was_validated_with_the_origin()
    {
        var page = edge.Origin.Serves(
            origin => origin.Respond(200, ["Cache-Control: no-cache", Html, "ETag: \"v\""], Page),
            origin => origin.Headers["If-None-Match"] == "\"v\"" ? origin.Respond(304, ["ETag: \"v\""]) : origin.Respond(200, ["Cache-Control: no-cache", Html, "ETag: \"v\""], Page));
        await edge.Get(page, Browser);
        await Await(page, "br");
        var asked = page.Requests.Count;

        var answer = await edge.Get(page, Browser, "If-None-Match: \"v-br\"");

        Assert.Equal((304, "\"v-br\"", "stale"), (answer.Status, answer.Headers["ETag"], answer.Forwarded));
        Assert.Equal((asked + 1, "\"v\""), (page.Requests.Count, page.Requests[^1].Headers["If-None-Match"]));
    }

    [Fact]
    public async Task Ranges_are_ranges_of_what_is_sent()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html, "ETag: \"v\"", "Last-Modified: Tue, 01 Sep 2020 12:00:00 GMT"));
        await edge.Get(page, Browser);
        var whole = (await Await(page, "br")).Body;

        var part = await edge.Get(page, Browser, "Range: bytes=100-299", "If-Range: \"v-br\"");
        var tail = await edge.Get(page, Browser, "Range: bytes=-50");
        var several = await edge.Get(page, Browser, "Range: bytes=0-9,20-29");
        var byDate = await edge.Get(page, Browser, "Range: bytes=100-299", "If-Range: Tue, 01 Sep 2020 12:00:00 GMT");
        var byOther = await edge.Get(page, Browser, "Range: bytes=100-299", "If-Range: \"v\"");
        var plain = await edge.Get(page, "Range: bytes=100-299", "If-Range: \"v\"");

        Assert.Equal((206, "br", $"bytes 100-299/{whole.Length}"), (part.Status, part.Headers["Content-Encoding"], part.Headers["Content-Range"]));
        Assert.Equal(whole[100..300], part.Body);
        Assert.Equal(whole[^50..], tail.Body);
        Assert.Equal(206, several.Status);
        Assert.Contains(Encoding.Latin1.GetString(whole[20..30]), several.Text, StringComparison.Ordinal);
        Assert.All([byDate, byOther], answer => Assert.Equal((200, whole.Length), (answer.Status, answer.Body.Length)));
        Assert.Equal((206, null, Page[100..300]), (plain.Status, plain.Headers["Content-Encoding"], plain.Text));
    }

    [Fact]
    public async Task A_head_is_the_head_of_what_a_get_would_bring()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html, "ETag: \"v\""));
        await edge.Get(page, Browser);
        var get = await Await(page, "br");

        var head = await edge.Ask("HEAD", page.Path, Browser);

        string?[] Fields(Response response) => [.. new[] { "Content-Encoding", "Content-Length", "ETag", "Vary", "Content-Type" }.Select(name => response.Headers[name])];
        Assert.Equal(Fields(get), Fields(head));
    }

    [Fact]
    public async Task A_change_takes_all_forms_with_it()
    {
        var version = "one";
        var page = edge.Origin.Serves(origin => origin.Method == "POST" ? origin.Respond(204, []) : origin.Fresh(Page + version, Html, $"ETag: \"{version}\""));
        await edge.Get(page, Browser);
        Assert.EndsWith("one", Decode(await Await(page, "br")), StringComparison.Ordinal);

        version = "two";
        await edge.Ask("POST", page.Path, "Content-Length: 0");

        Assert.EndsWith("two", Decode(await edge.Get(page, Browser)), StringComparison.Ordinal);
        var coded = await Await(page, "br");
        Assert.Equal("\"two-br\"", coded.Headers["ETag"]);
        Assert.EndsWith("two", Decode(coded), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_origin_that_compresses_is_left_to_it()
    {
        var page = edge.Origin.Serves(origin => origin.Headers["Accept-Encoding"] == "gzip"
            ? origin.Fresh(Latin1(Gzip(Page)), Html, "Content-Encoding: gzip", "Vary: Accept-Encoding", "ETag: \"v-gzip\"")
            : origin.Fresh(Page, Html, "Vary: Accept-Encoding", "ETag: \"v\""));

        await edge.Get(page, "Accept-Encoding: gzip");
        var zipped = await edge.Get(page, "Accept-Encoding: gzip");
        await edge.Get(page, "Accept-Encoding: br");
        var coded = await Await(page, "br", "Accept-Encoding: br");

        Assert.Equal(("gzip", "\"v-gzip\"", "Accept-Encoding", Page, true),
            (zipped.Headers["Content-Encoding"], zipped.Headers["ETag"], zipped.Headers["Vary"], Decode(zipped), zipped.IsHit));
        Assert.Equal(("\"v-br\"", "Accept-Encoding", Page), (coded.Headers["ETag"], coded.Headers["Vary"], Decode(coded)));
        Assert.Equal(["gzip", "br"], page.Requests.Select(request => request.Headers["Accept-Encoding"]));
    }

    [Fact]
    public async Task Where_it_is_to_be_compressed_anew_it_is()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Latin1(Gzip(Page)), Html, "Content-Encoding: gzip", "Vary: Accept-Encoding", "ETag: W/\"v\""));
        await edge.Get(page, Browser);

        var coded = await Await(page, "br");
        var asItCame = await edge.Get(page, "Accept-Encoding: gzip");

        Assert.Equal(("W/\"v-br\"", Page), (coded.Headers["ETag"], Decode(coded)));
        Assert.Equal(("gzip", "W/\"v\"", Page), (asItCame.Headers["Content-Encoding"], asItCame.Headers["ETag"], Decode(asItCame)));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_bomb_harms_nobody()
    {
        // Given a gibibyte of zeros, as a mebibyte of gzip,
        using var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 1024; i++)
                gzip.Write(zeros);
        }

        var zipped = Latin1(bomb.ToArray());
        var page = edge.Origin.Serves(origin => origin.Fresh(zipped, Html, "Content-Encoding: gzip", "Vary: Accept-Encoding"));
        var before = edge.Process.WorkingSet;

        // when browsers ask for it,
        for (var i = 0; i < 10; i++)
            Assert.Equal(("gzip", zipped), ((await edge.Get(page, Browser)) is var answer ? answer.Headers["Content-Encoding"] : "", answer.Text));
        await Deadline.Until(() => edge.Process.Output.Contains("decompresses to more than 10485760 bytes", StringComparison.Ordinal));

        // then it's looked into once, costs little memory, and others are compressed as ever.
        var other = edge.Origin.Serves(origin => origin.Fresh(Page, Html));
        await edge.Get(other, Browser);
        await Await(other, "br");
        Assert.Equal("gzip", (await edge.Get(page, Browser)).Headers["Content-Encoding"]);
        Assert.Single(edge.Process.Output.Split('\n'), line => line.Contains("decompresses to more than", StringComparison.Ordinal));
        Assert.InRange(edge.Process.WorkingSet - before, long.MinValue, 150 << 20);
    }

    [Fact]
    public async Task Those_who_compress_give_way_to_those_who_serve()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html));
        await edge.Get(page, Browser);
        await Await(page, "br");

        var niceness = edge.Process.NicenessOf("compression");

        Assert.Equal(Math.Max(1, Environment.ProcessorCount - 1), niceness.Length);
        Assert.All(niceness, nice => Assert.Equal(15, nice));
    }

    [Fact]
    public async Task A_large_one_is_sent_whole_to_clients_that_nobody_here_wrote()
    {
        var large = string.Concat(Enumerable.Repeat(Page, 30));
        var page = edge.Origin.Serves(origin => origin.Fresh(large, Html));
        var url = new Uri(edge.Address, page.Path);
        await edge.Get(page, Browser);
        await Await(page, "br");

        var curl = await Curl.Run("--silent", "--compressed", "--header", "Accept-Encoding: br", url.ToString());
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All });
        var read = await client.GetStringAsync(url, TestContext.Current.CancellationToken);

        Assert.Equal(large, curl);
        Assert.Equal(large, read);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Many_who_come_at_once_all_get_a_whole_one()
    {
        var page = edge.Origin.Serves(origin => origin.Fresh(Page, Html));
        string[] accepted = ["br", "gzip", "zstd", "identity"];
        var seen = new HashSet<string>();

        await Deadline.Until(async () =>
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => edge.Get(page, $"Accept-Encoding: {accepted[i % accepted.Length]}")));
            Assert.All(answers, answer => Assert.Equal(Page, Decode(answer)));
            seen.UnionWith(answers.Select(static answer => answer.Headers["Content-Encoding"] ?? "identity"));
            return seen.Count == accepted.Length;
        }, "an answer in each coding");

        Assert.Single(page.Requests);
    }

    private async Task<Response> Await(Resource page, string coding, string accepted = Browser)
    {
        Response? answer = null;
        await Deadline.Until(async () => (answer = await edge.Get(page, accepted)).Headers["Content-Encoding"] == coding, $"{page.Path} in {coding}");
        return answer!;
    }

    private static string Decode(Response response)
    {
        using var coded = new MemoryStream(response.Body);
        using Stream decoder = response.Headers["Content-Encoding"] switch
        {
            "br" => new BrotliStream(coded, CompressionMode.Decompress),
            "gzip" => new GZipStream(coded, CompressionMode.Decompress),
            "zstd" => new DecompressionStream(coded),
            _ => coded,
        };
        using var reader = new StreamReader(decoder, Encoding.Latin1);
        return reader.ReadToEnd();
    }

    private static byte[] Gzip(string text)
    {
        using var coded = new MemoryStream();
        using (var gzip = new GZipStream(coded, CompressionLevel.Fastest))
            gzip.Write(Encoding.Latin1.GetBytes(text));
        return coded.ToArray();
    }

    private static string Latin1(byte[] bytes) => Encoding.Latin1.GetString(bytes);
}

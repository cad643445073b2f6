using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Security.Cryptography;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Storage;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection;
using static CdnEdge.Delivery.Tests.Compression.Sites;

namespace CdnEdge.Delivery.Tests.Compression;

/// <summary>Compressing in the background: once, within bounds, and only for what is still there.</summary>
public class CompressorTests
{
    private const string Brotli = "Accept-Encoding: br\r\n";

    private static readonly string Halved = string.Concat(Page.Where(static (_, i) => i % 2 == 0));

    [Fact]
    public async Task Each_response_is_compressed_once_however_many_ask_and_nobody_waits_for_it()
    {
        var provider = new GatedProvider();
        await using var origin = OriginOf(Page);
        await using var site = await StartAsync(origin, provider);

        var meanwhile = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => site.FetchAsync(Brotli)));
        await CachedSite.UntilAsync(() => provider.Begun > 0, "the beginning");
        provider.Open();
        await site.AwaitAsync("br", Brotli);
        var after = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => site.FetchAsync(Brotli)));

        Assert.All(meanwhile, answer => Assert.Equal((null, Page), (answer.Coding, Latin1(answer.Body))));
        Assert.All(after, answer => Assert.Equal(("br", Halved), (answer.Coding, Latin1(answer.Body))));
        Assert.Equal(1, provider.Begun);
    }

    [Fact]
    public async Task It_begins_with_the_fill_of_a_visitor_who_would_be_sent_it()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);

        await site.FetchAsync(Brotli);

        await CachedSite.UntilAsync(() => site.StoredAt().EncodedIn("br")?.Body is not null, "the body in Brotli");
        Assert.Equal("br", (await site.FetchAsync(Brotli)).Coding);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_purged_or_replaced_meanwhile_is_forgotten(bool isPurged)
    {
        var provider = new GatedProvider();
        var version = 1;
        await using var origin = RawOrigin.Answering(_ => Response($"{Page}{version}"));
        await using var site = await StartAsync(origin, provider);
        await site.FetchAsync(Brotli);
        var old = site.StoredAt();
        await CachedSite.UntilAsync(() => provider.Begun == 1, "the beginning");

        version = 2;
        if (isPurged)
            site.Cache.Epochs.RaiseNow(PurgeScope.OfUrl(site.Key("/").Bytes), PurgeMode.Hard);
        await site.FetchAsync(Brotli + (isPurged ? "" : "Cache-Control: no-cache\r\n"));
        provider.Open();

        await site.AwaitAsync("br", Brotli);
        Assert.Equal(2, provider.Begun);
        Assert.NotSame(old, site.StoredAt());
        await CachedSite.UntilAsync(() => old.EncodedIn("br") is null, "the end of the first");
        Assert.Equal((Page.Length + 2) / 2, site.StoredAt().EncodedIn("br")!.Body!.Length);
    }

    [Fact]
    public async Task A_purge_takes_it_with_the_response()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        await site.AwaitAsync("br");
        var body = site.StoredAt().EncodedIn("br")!.Body!;

        site.Cache.Epochs.RaiseNow(PurgeScope.OfUrl(site.Key("/").Bytes), PurgeMode.Hard);

        Assert.Null((await site.FetchAsync(Browser)).Coding);
        Assert.False(body.TryAcquire());
        Assert.Equal(2, origin.Requests.Count);
    }

    [Fact]
    public async Task A_soft_purge_leaves_it_to_be_served_stale()
    {
        await using var origin = OriginOf(Page, freshness: "max-age=600, stale-while-revalidate=600");
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        await site.AwaitAsync("br");

        site.Cache.Epochs.RaiseNow(PurgeScope.OfUrl(site.Key("/").Bytes), PurgeMode.Soft);

        var stale = await site.FetchAsync(Browser);
        Assert.Equal(("br", Page), (stale.Coding, stale.Text));
    }

    [Fact]
    public async Task It_is_counted_against_the_memory_tiers_bound()
    {
        var provider = new GatedProvider();
        await using var origin = OriginOf(Page);
        await using var site = await StartAsync(origin, provider);
        await site.FetchAsync(Brotli);
        await CachedSite.UntilAsync(() => site.Memory.Find(site.Key("/")) is not null, "the page in memory");
        var before = site.Memory.UsedBytes;

        provider.Open();
        await site.AwaitAsync("br", Brotli);

        Assert.InRange(site.Memory.UsedBytes - before, Halved.Length, Halved.Length + 800);
    }

    [Fact]
    public async Task Where_memory_is_short_it_stays_within_it_and_serves_all()
    {
        const int Pages = 100;
        await using var origin = RawOrigin.Answering(request => Response(Page + request.Split(' ')[1]));
        await using var site = await CachedSite.StartAsync(origin, memory: 1 << 20);

        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < Pages; i++)
            {
                var answer = await site.FetchAsync(Brotli, $"/{i}");
                Assert.Equal((200, $"{Page}/{i}"), (answer.Status, answer.Text));
                Assert.InRange(site.Memory.UsedBytes, 1, 1 << 20);
            }
        }

        Assert.True(site.Memory.Evictions > 0);
        Assert.Equal($"{Page}/0", (await site.AwaitAsync("br", Brotli, "/0")).Text);
        Assert.InRange(site.Memory.UsedBytes, 1, 1 << 20);
    }

    [Fact]
    public async Task What_would_hardly_be_smaller_is_tried_once()
    {
        var noise = Latin1([.. RandomNumberGenerator.GetBytes(20_000)]);
        using var results = new Results();
        await using var origin = OriginOf(noise);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Brotli);
        await CachedSite.UntilAsync(() => results.Of(site).Length > 0, "the end");

        for (var i = 0; i < 5; i++)
            Assert.Equal((null, noise, "Accept-Encoding"), ((await site.FetchAsync(Brotli)) is var answer ? answer.Coding : "", Latin1(answer.Body), answer["Vary"]));

        Assert.Equal(["br no-gain"], results.Of(site));
        Assert.NotNull(site.StoredAt().EncodedIn("br"));
    }

    [Fact]
    public async Task What_a_provider_fails_at_is_logged_and_served_as_it_is()
    {
        var provider = new GatedProvider { OnWrite = () => throw new InvalidOperationException("out of order") };
        provider.Open();
        await using var origin = OriginOf(Page);
        await using var site = await StartAsync(origin, provider);
        await site.FetchAsync(Brotli);
        await CachedSite.UntilAsync(() => site.Logged.Count > 0, "the log");
        await CachedSite.UntilAsync(() => site.StoredAt().EncodedIn("br") is not null, "the note");

        for (var i = 0; i < 5; i++)
            Assert.Equal(Page, Latin1((await site.FetchAsync(Brotli)).Body));

        Assert.Contains("'a/' couldn't be compressed to br", Assert.Single(site.Logged), StringComparison.Ordinal);
        Assert.Equal(1, provider.Begun);
        Assert.Equal("gzip", (await site.AwaitAsync("gzip", "Accept-Encoding: gzip\r\n")).Coding); // the next body is compressed
    }

    [Fact]
    public async Task A_bomb_is_served_as_it_came_and_touched_once()
    {
        var bomb = Latin1(Gzip(stream =>
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 200; i++)
                stream.Write(zeros);
        }));
        using var results = new Results();
        await using var origin = OriginOf(bomb, "Content-Type: text/html\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n");
        await using var site = await CachedSite.StartAsync(origin, Policy(compression => compression.Recompress = true));
        await site.FetchAsync(Browser);
        await CachedSite.UntilAsync(() => results.Of(site).Length > 0, "the end");

        foreach (var accepted in new[] { Browser, Browser, "Accept-Encoding: gzip, zstd\r\n" })
        {
            var answer = await site.FetchAsync(accepted);
            Assert.Equal(("gzip", bomb), (answer.Coding, Latin1(answer.Body)));
        }

        Assert.Equal(["br refused"], results.Of(site));
        Assert.Equal(EncodedBody.AnyCoding, Assert.Single(site.StoredAt().Encoded).Coding);
    }

    [Fact]
    public async Task An_application_may_bring_a_coding_of_its_own()
    {
        var provider = new GatedProvider("half");
        provider.Open();
        await using var origin = OriginOf(Page);
        await using var site = await StartAsync(origin, provider, Policy(compression => compression.Encodings = ["half", "br"]));
        await site.FetchAsync("Accept-Encoding: br;q=0.5, half\r\n");

        Assert.Equal(Halved, Latin1((await site.AwaitAsync("half", "Accept-Encoding: br;q=0.5, half\r\n")).Body));
    }

    [Fact]
    public async Task What_was_done_is_counted()
    {
        using var results = new Results();
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Brotli);
        var coded = await site.AwaitAsync("br", Brotli);
        await CachedSite.UntilAsync(() => results.Of(site).Length == 1, "the count");

        Assert.Equal(["br done"], results.Of(site));
        Assert.Equal((Page.Length, coded.Body.Length), (results.BytesOf(site, "in"), results.BytesOf(site, "out")));
    }

    [Fact]
    public async Task Choosing_and_finding_a_compressed_body_allocates_nothing()
    {
        await using var origin = OriginOf(Page);
        await using var site = await CachedSite.StartAsync(origin);
        await site.FetchAsync(Browser);
        await site.AwaitAsync("br");
        var stored = site.StoredAt();
        var policy = site.Cache.Policies.Find(null);
        var browser = new HeaderDictionary { ["Accept-Encoding"] = "gzip, deflate, br, zstd" };
        Take(1);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Take(1000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Take(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Assert.True(site.Cache.Codings.TryTake(stored, stored.Head, policy, browser, asStored: false, out var chosen) && chosen.Encoded is not null);
                chosen.Body!.Release();
            }
        }
    }

    private static Task<CachedSite> StartAsync(RawOrigin origin, GatedProvider provider, CachePolicy? policy = null) =>
        CachedSite.StartAsync(origin, policy, services: services => services.AddSingleton<ICompressionProvider>(provider));

    private static byte[] Gzip(Action<Stream> write)
    {
        using var coded = new MemoryStream();
        using (var gzip = new GZipStream(coded, CompressionLevel.SmallestSize))
            write(gzip);
        return coded.ToArray();
    }

    /// <summary>What the meters of all sites say, each to be asked for its own.</summary>
    private sealed class Results : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<(object? Scope, string Instrument, long Value, string Tags)> _measured = [];

        internal Results()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("cdnedge.cache.compression", StringComparison.Ordinal))
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                lock (_measured)
                    _measured.Add((instrument.Meter.Scope, instrument.Name, value, string.Join(' ', tags.ToArray().Select(static tag => tag.Value))));
            });
            _listener.Start();
        }

        internal string[] Of(CachedSite site) => [.. Measured(site, "cdnedge.cache.compressions").Select(static m => m.Tags)];

        internal long BytesOf(CachedSite site, string direction) => Measured(site, $"cdnedge.cache.compression.{direction}").Sum(static m => m.Value);

        public void Dispose() => _listener.Dispose();

        private List<(object? Scope, string Instrument, long Value, string Tags)> Measured(CachedSite site, string instrument)
        {
            lock (_measured)
                return _measured.FindAll(m => m.Instrument == instrument && ReferenceEquals(m.Scope, site.Meters));
        }
    }
}

using CdnEdge.Caching;
using CdnEdge.Storage;
using CsCheck;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control.Tests.Purging;

public class PurgeApplierTests
{
    private static readonly CachePolicy[] Policies =
    [
        new(),
        new() { Key = new KeyPolicy { Query = QueryKeyMode.None, HostAliases = new Dictionary<string, string> { ["www.example.org"] = "example.org" } } },
    ];

    private readonly PurgeEpochs _epochs = new();

    [Theory]
    [InlineData("http://example.org/a?b=c", "example.org", "/a", "?b=c")]
    [InlineData("https://EXAMPLE.org:443/a?b=c#d", "example.org", "/a", "?b=c")]
    [InlineData("http://www.example.org/a?b=c", "example.org", "/a", "")]
    [InlineData("http://example.org/a?b=%41%2f", "example.org", "/a", "?b=%41%2f")]
    [InlineData("http://example.org/a?b=A", "example.org", "/a", "?b=A")]
    [InlineData("http://example.org/%C3%A4%20x%2Fy", "example.org", "/%C3%A4%20x%2Fy", "")]
    [InlineData("http://example.org/x/../a", "example.org", "/a", "")]
    [InlineData("http://example.org/%FF%fe", "example.org", "/%FF%FE", "")]
    [InlineData("http://example.org", "example.org", "/", "")]
    [InlineData("http://[::1]:8080/a", "[::1]:8080", "/a", "")]
    [InlineData("http://bücher.example/a", "xn--bcher-kva.example", "/a", "")]
    public void A_URL_is_purged_under_the_keys_that_requests_for_it_have(string url, string host, string path, string query)
    {
        Apply(new PurgeRequest { Urls = [url] });

        Assert.Equal(PurgeVerdict.Gone, Judge(host, path, query));
        Assert.Equal(PurgeVerdict.Valid, Judge(host, path + "x", query));
        Assert.Equal(0, _epochs.TrustedFrom);
    }

    [Theory]
    [InlineData("http://example.org/a/b", "/a/b", true)]
    [InlineData("http://example.org/a/b/", "/a/b/c", true)]
    [InlineData("http://www.example.org/a/b", "/a/b/c", true)]
    [InlineData("http://example.org/a/b", "/a/bc", false)]
    [InlineData("http://example.org/a%20b", "/a b/c", true)]
    [InlineData("http://example.org/", "/anything", true)]
    public void A_prefix_covers_whole_segments(string prefix, string path, bool covered)
    {
        Apply(new PurgeRequest { Prefixes = [prefix] });

        Assert.Equal(covered ? PurgeVerdict.Gone : PurgeVerdict.Valid, Judge("example.org", path, "?q"));
        Assert.Equal(PurgeVerdict.Valid, Judge("example.net", path, ""));
    }

    [Theory]
    [InlineData("example.org")]
    [InlineData("Example.ORG:80")]
    [InlineData("www.example.org")]
    public void A_site_is_all_of_its_URLs(string site)
    {
        Apply(new PurgeRequest { Sites = [site], Soft = true });

        Assert.Equal(PurgeVerdict.Stale, Judge("example.org", "/a", "?b"));
        Assert.Equal(PurgeVerdict.Valid, Judge("example.org:8080", "/a", "?b"));
    }

    [Fact]
    public void What_cannot_be_understood_makes_all_that_is_older_stale()
    {
        Apply(new PurgeRequest { Urls = ["no URL"] });

        Assert.Equal(PurgeVerdict.Stale, Judge("example.org", "/", ""));
    }

    [Fact]
    public void Order_repetition_and_replay_make_no_difference()
    {
        var paths = Enumerable.Range(0, 4).Select(static i => $"/{i}").ToArray();
        var purge = Gen.Select(Gen.Int[0, 5], Gen.Bool, Gen.Long[1, 50]).Select(static (what, soft, at) => (At: at, Request: what switch
        {
            4 => new PurgeRequest { Everything = true, Soft = soft },
            5 => new PurgeRequest { Prefixes = ["http://example.org/1"], Soft = soft },
            _ => new PurgeRequest { Urls = [$"http://example.org/{what}"], Soft = soft },
        }));
        Gen.Select(purge.Array[0, 12], Gen.Long[0, 60], Gen.Int[0, int.MaxValue]).Sample((purges, began, seed) =>
        {
            var (once, again) = (new PurgeEpochs(), new PurgeEpochs());
            foreach (var (at, request) in purges)
                new PurgeApplier(once, () => Policies).Apply(request, at);
            var replayed = purges.Concat(purges).ToArray();
            new Random(seed).Shuffle(replayed);
            foreach (var (at, request) in replayed)
                new PurgeApplier(again, () => Policies).Apply(request, at);

            Assert.All(paths, path => Assert.Equal(Judge(once, path, began), Judge(again, path, began)));
        });

        static PurgeVerdict Judge(PurgeEpochs epochs, string path, long began) => epochs.Judge(Key("example.org", path, ""), SurrogateTags.None, began, out _);
    }

    [Fact]
    public void An_estimate_counts_what_would_be_hit_and_purges_nothing()
    {
        using var arena = new SegmentArena();
        using var memory = new MemoryTier(16 << 20, arena);
        var applier = new PurgeApplier(memory.Epochs, () => Policies);
        var bytes = Enumerable.Range(0, 100).Sum(i => Store(memory, $"/{i % 2}/{i}"));

        Assert.Equal(new PurgeEstimate(100, bytes), applier.Estimate(new PurgeRequest { Everything = true }, memory));
        Assert.Equal(50, applier.Estimate(new PurgeRequest { Prefixes = ["http://example.org/1"], Soft = true }, memory).Objects);
        Assert.Equal(new PurgeEstimate(0, 0), applier.Estimate(new PurgeRequest { Tags = ["none"] }, memory));
        Assert.Equal(PurgeVerdict.Valid, memory.Epochs.Judge(Key("example.org", "/1/1", ""), SurrogateTags.None, 0, out _));

        applier.Apply(new PurgeRequest { Urls = ["http://example.org/1/1"] }, 5);
        Assert.Equal(49, applier.Estimate(new PurgeRequest { Prefixes = ["http://example.org/1"] }, memory).Objects);
    }

    private static long Store(MemoryTier memory, string path)
    {
        var headers = new HeaderDictionary { ["Cache-Control"] = "max-age=60" };
        var directives = ResponseDirectives.Parse(headers, Policies[0]);
        var freshness = Freshness.Of(200, headers, directives, Policies[0], DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        var stored = new StoredResponse(StoredHead.Create(200, headers, new HeaderDictionary(), directives, freshness, Policies[0]), null);
        Assert.True(memory.Put(Key("example.org", path, ""), stored, 4));
        return stored.Charge;
    }

    private void Apply(PurgeRequest request) => new PurgeApplier(_epochs, () => Policies).Apply(request, 10);

    private PurgeVerdict Judge(string host, string path, string query) => _epochs.Judge(Key(host, path, query), SurrogateTags.None, 9, out _);

    // As a request has it: decoded by Kestrel, or escaped where decoding would lose something.
    private static CacheKey Key(string host, string path, string query)
    {
        using var key = KeyComposer.Compose(Policies[0], new HostString(host), default, new PathString(path), new QueryString(query), stackalloc byte[512]);
        return key.ToKey();
    }
}

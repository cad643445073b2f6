using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Storage;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Purging;

/// <summary>What purges do to hits, to fills under way and to what clients are told.</summary>
public class PurgeTests
{
    private const string Tagged = "Cache-Control: max-age=60\r\nSurrogate-Key: shoes\r\nCache-Groups: \"sale\"\r\n";

    public static TheoryData<string> Scopes => ["tag", "url", "site", "prefix", "group", "everything"];

    [Theory]
    [MemberData(nameof(Scopes))]
    public async Task What_is_purged_is_fetched_anew(string scope)
    {
        await using var origin = Counting(Tagged);
        await using var site = await CachedSite.StartAsync(origin);
        Assert.EndsWith("\r\n\r\n1", await site.GetAsync("/shop/1"));
        Assert.EndsWith("\r\n\r\n1", await site.GetAsync("/shop/1"));

        Raise(site, scope, PurgeMode.Hard);

        Assert.EndsWith("\r\n\r\n2", await site.GetAsync("/shop/1"));
        Assert.EndsWith("\r\n\r\n2", await site.GetAsync("/shop/1"));
    }

    [Fact]
    public async Task What_is_not_concerned_stays()
    {
        await using var origin = Counting(Tagged);
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/shop/1");

        site.Cache.Epochs.RaiseNow(PurgeScope.OfTag("hats"), PurgeMode.Hard);

        Assert.EndsWith("\r\n\r\n1", await site.GetAsync("/shop/1"));
    }

    [Fact]
    public async Task A_soft_purge_leaves_it_usable_under_the_stale_rules()
    {
        await using var origin = Counting(Tagged.Replace("max-age=60", "max-age=60, stale-while-revalidate=60", StringComparison.Ordinal));
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/shop/1");

        Raise(site, "tag", PurgeMode.Soft);

        var stale = await site.GetAsync("/shop/1");
        Assert.EndsWith("\r\n\r\n1", stale);
        Assert.Matches("Cache-Status: cdnedge; hit; ttl=(0|-1)\r\n", stale);
        await CachedSite.UntilAsync(() => origin.Requests.Count == 2 && site.FillOf("/shop/1") is null, "the revalidation");
        Assert.EndsWith("\r\n\r\n2", await site.GetAsync("/shop/1"));
        Assert.Equal(2, origin.Requests.Count);
    }

    [Fact]
    public async Task Where_no_stale_rule_holds_it_is_revalidated_first()
    {
        await using var origin = Counting(Tagged + "ETag: \"v\"\r\n");
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/shop/1");

        Raise(site, "site", PurgeMode.Soft);

        Assert.EndsWith("\r\n\r\n2", await site.GetAsync("/shop/1"));
        Assert.Contains("If-None-Match: \"v\"", origin.Requests.Last(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("url")]
    [InlineData("tag")]
    public async Task A_fill_under_way_brings_nothing_back_and_nobody_who_comes_later_gets_it(string scope)
    {
        var rest = new TaskCompletionSource();
        var answers = 0;
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                var number = Interlocked.Increment(ref answers);
                await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Tagged}Content-Length: 2\r\n\r\n{number}");
                if (number == 1)
                {
                    await rest.Task;
                }

                await connection.SendAsync("!");
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        await using var first = await site.ConnectAsync();
        await first.SendAsync("GET /shop/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await first.ReadUntilAsync("\r\n\r\n1");

        Raise(site, scope, PurgeMode.Hard);

        Assert.EndsWith("\r\n\r\n2!", await site.GetAsync("/shop/1"));
        rest.SetResult();
        Assert.Equal("!", await first.ReadToEndAsync());
        Assert.EndsWith("\r\n\r\n2!", await site.GetAsync("/shop/1"));
        Assert.Equal(2, answers);
    }

    [Fact]
    public async Task A_validation_that_began_before_the_purge_does_not_make_it_good_again()
    {
        var first = true;
        var held = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                if (request.Contains("If-None-Match", StringComparison.OrdinalIgnoreCase))
                {
                    asked.TrySetResult();
                    await held.Task;
                    await connection.SendAsync($"HTTP/1.1 304 Not Modified\r\n{Tagged}\r\n");
                    continue;
                }

                var body = first ? "old" : "new";
                var age = first ? "Age: 61\r\n" : "";
                first = false;
                await connection.SendAsync($"HTTP/1.1 200 OK\r\n{Tagged}{age}ETag: \"{body}\"\r\nContent-Length: 3\r\n\r\n{body}");
            }
        });
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/shop/1");
        var validating = site.GetAsync("/shop/1");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Raise(site, "tag", PurgeMode.Hard);
        held.SetResult();
        await validating;

        Assert.EndsWith("\r\n\r\nnew", await site.GetAsync("/shop/1"));
    }

    /// <summary>RFC 9875 §3: a change names the groups that it outdates.</summary>
    [Fact]
    public async Task A_change_invalidates_the_groups_that_it_names()
    {
        var answers = 0;
        await using var origin = RawOrigin.Answering(request => request.StartsWith("POST", StringComparison.Ordinal)
            ? "HTTP/1.1 204 No Content\r\nCache-Group-Invalidation: \"sale\"\r\n\r\n"
            : $"HTTP/1.1 200 OK\r\n{Tagged}Content-Length: 1\r\n\r\n{++answers}");
        await using var site = await CachedSite.StartAsync(origin);
        await site.GetAsync("/shop/1");

        await site.AskAsync("POST", "/order", "Content-Length: 0\r\n");

        Assert.EndsWith("\r\n\r\n2", await site.GetAsync("/shop/1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Clients_get_the_tags_only_where_the_policy_says_so(bool strip)
    {
        await using var origin = Counting(Tagged);
        await using var site = await CachedSite.StartAsync(origin, new CachePolicy { StripTagFields = strip });

        foreach (var answer in new[] { await site.GetAsync("/shop/1"), await site.GetAsync("/shop/1") })
        {
            Assert.Equal(!strip, answer.Contains("Surrogate-Key: shoes\r\n", StringComparison.Ordinal));
            Assert.Contains("Cache-Groups: \"sale\"\r\n", answer, StringComparison.Ordinal);
        }
    }

    private static RawOrigin Counting(string fields)
    {
        var answers = 0;
        return RawOrigin.Answering(_ => $"HTTP/1.1 200 OK\r\n{fields}Content-Length: 1\r\n\r\n{Interlocked.Increment(ref answers)}");
    }

    private static void Raise(CachedSite site, string scope, PurgeMode mode)
    {
        var epochs = site.Cache.Epochs;
        var key = site.Key("/shop/1");
        switch (scope)
        {
            case "tag":
                epochs.RaiseNow(PurgeScope.OfTag("shoes"), mode);
                break;
            case "url":
                epochs.RaiseNow(PurgeScope.OfUrl(key.Bytes), mode);
                break;
            case "site":
                epochs.RaiseNow(PurgeScope.OfSite(key.Host), mode);
                break;
            case "group":
                epochs.RaiseNow(PurgeScope.OfGroup(key.Host, "sale"), mode);
                break;
            case "prefix":
                epochs.RaisePrefix([.. key.Host, CacheKey.Separator, .. "/shop"u8], mode, epochs.Now + 1);
                epochs.AdvanceTo(epochs.Now + 1);
                break;
            case "everything":
                epochs.RaiseNow(PurgeScope.Everything, mode);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(scope), scope, "No scope.");
        }
    }
}

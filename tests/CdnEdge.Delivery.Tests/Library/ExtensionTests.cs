using System.Collections.Concurrent;
using System.Net;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery.Tests.Library;

/// <summary>The extension points, each as docs/library.md shows it.</summary>
public class ExtensionTests
{
    [Fact]
    public async Task A_selector_chooses_the_policy_by_code()
    {
        await using var origin = await Server.CountingOriginAsync();
        await using var edge = await StartAsync(origin, services => services.AddSingleton<ICachePolicySelector, PreviewsUncached>());

        Assert.Equal("1 MISS", await edge.GetAsync("/page"));
        Assert.Equal("2 BYPASS", await edge.GetAsync("/page", ("X-Preview", "1")));
        Assert.Equal("1 HIT", await edge.GetAsync("/page"));
    }

    [Fact]
    public async Task A_selector_comes_before_the_metadata_and_the_first_that_answers_wins()
    {
        await using var origin = await Server.CountingOriginAsync();
        await using var edge = await StartAsync(
            origin,
            services => services.AddSingleton<ICachePolicySelector, PreviewsUncached>().AddSingleton<ICachePolicySelector, AlwaysCached>(),
            policy: "none");

        Assert.Equal("1 MISS", await edge.GetAsync("/page"));
        Assert.Equal("1 HIT", await edge.GetAsync("/page"));
        Assert.Equal("2 BYPASS", await edge.GetAsync("/page", ("X-Preview", "1")));
    }

    [Fact]
    public async Task A_contributor_changes_the_key_and_not_what_the_origin_is_asked()
    {
        var asked = new ConcurrentQueue<string>();
        await using var origin = await Server.OriginAsync(context =>
        {
            asked.Enqueue(context.Request.Path + context.Request.QueryString);
            return context.Response.WriteAsync($"{asked.Count}");
        });
        await using var edge = await StartAsync(origin, services => services.AddSingleton<ICacheKeyContributor, OneKeyPerDevice>());

        Assert.Equal("1 MISS", await edge.GetAsync("/Page", ("User-Agent", "desktop")));
        Assert.Equal("2 MISS", await edge.GetAsync("/Page", ("User-Agent", "Mobile one")));
        Assert.Equal("1 HIT", await edge.GetAsync("/Page", ("User-Agent", "another")));
        Assert.Equal("2 HIT", await edge.GetAsync("/Page", ("User-Agent", "Mobile two")));
        Assert.Equal(["/Page", "/Page"], asked);
    }

    [Fact]
    public async Task A_contributors_key_is_the_one_that_is_invalidated()
    {
        await using var origin = await Server.CountingOriginAsync();
        await using var edge = await StartAsync(origin, services => services.AddSingleton<ICacheKeyContributor, OneKeyPerDevice>());
        await edge.GetAsync("/page", ("User-Agent", "Mobile"));

        using var post = new HttpRequestMessage(HttpMethod.Post, "/page") { Content = new StringContent("x") };
        post.Headers.TryAddWithoutValidation("User-Agent", "Mobile");
        using var posted = await edge.Client.SendAsync(post, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        Assert.Equal("3 MISS", await edge.GetAsync("/page", ("User-Agent", "Mobile")));
    }

    [Fact]
    public async Task A_rule_forbids_storing()
    {
        await using var origin = await Server.OriginAsync(context =>
        {
            if (context.Request.Path == "/draft")
                context.Response.Headers["X-Robots-Tag"] = "noindex";
            return context.Response.WriteAsync("page");
        });
        await using var edge = await StartAsync(origin, services => services.AddSingleton<ICacheStorabilityRule, NoDrafts>());

        Assert.Equal("page MISS", await edge.GetAsync("/draft"));
        Assert.Equal("page MISS", await edge.GetAsync("/draft"));
        Assert.Equal("page MISS", await edge.GetAsync("/final"));
        Assert.Equal("page HIT", await edge.GetAsync("/final"));
    }

    [Fact]
    public async Task A_rule_cannot_allow_what_HTTP_forbids()
    {
        await using var origin = await Server.OriginAsync(context =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return context.Response.WriteAsync("page");
        });
        await using var edge = await StartAsync(origin, services => services.AddSingleton<ICacheStorabilityRule, NoDrafts>());

        Assert.Equal("page MISS", await edge.GetAsync("/"));
        Assert.Equal("page MISS", await edge.GetAsync("/"));
    }

    [Fact]
    public async Task An_observer_is_told_what_the_cache_does()
    {
        var journal = new Journal();
        await using var origin = await Server.OriginAsync(context =>
        {
            if (context.Request.Path == "/private")
                context.Response.Headers.CacheControl = "private";
            return context.Response.WriteAsync("four");
        });
        await using var edge = await StartAsync(origin, services => services.AddSingleton<ICacheObserver>(journal));
        var host = edge.Client.BaseAddress!.Authority;

        await edge.GetAsync("/a");
        await edge.GetAsync("/a");
        await edge.GetAsync("/private");
        using var posted = await edge.Client.PostAsync("/a", new StringContent("x"), TestContext.Current.CancellationToken);

        Assert.Equal(
            [
                $"invalidated {host}/a",
                $"not stored {host}/private: Private",
                "served /a: Bypass",
                "served /a: Hit",
                "served /a: Miss",
                "served /private: Miss",
                $"stored {host}/a: 4 bytes for 60 s",
            ],
            journal.Lines.Where(line => !line.Contains("Method", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static async Task<Server> StartAsync(Server origin, Action<IServiceCollection> add, string? policy = null)
    {
        var builder = Server.Builder();
        builder.Services.AddReverseProxy()
            .LoadFromMemory([Server.Route(policy: policy)], [Server.Cluster(origin)])
            .AddCdnCache(options => options.Policies["none"] = new CachePolicy { Enabled = false });
        add(builder.Services);
        var app = builder.Build();
        app.MapReverseProxy();
        return await Server.StartAsync(app);
    }

    private sealed class PreviewsUncached : ICachePolicySelector
    {
        private static readonly CachePolicy Uncached = new() { Enabled = false };

        public CachePolicy? SelectPolicy(HttpContext context, RouteModel route) =>
            context.Request.Headers.ContainsKey("X-Preview") ? Uncached : null;
    }

    private sealed class AlwaysCached : ICachePolicySelector
    {
        private static readonly CachePolicy Cached = new();

        public CachePolicy? SelectPolicy(HttpContext context, RouteModel route) => Cached;
    }

    private sealed class OneKeyPerDevice : ICacheKeyContributor
    {
        public void Contribute(HttpContext context, ref CacheKeyParts parts)
        {
            if (context.Request.Headers.UserAgent.ToString().Contains("Mobile", StringComparison.Ordinal))
                parts.Query = parts.Query.Add("device", "mobile");
        }
    }

    private sealed class NoDrafts : ICacheStorabilityRule
    {
        public bool MayStore(in CacheCandidate candidate) => !candidate.ResponseHeaders.ContainsKey("X-Robots-Tag");
    }

    private sealed class Journal : ICacheObserver
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public void OnServing(HttpContext context, CacheOutcome outcome) => Lines.Enqueue($"served {context.Request.Path}: {outcome}");

        public void OnStored(string url, long bytes, TimeSpan lifetime) =>
            Lines.Enqueue($"stored {url}: {bytes} bytes for {lifetime.TotalSeconds} s");

        public void OnNotStored(string url, NoStoreReason reason) => Lines.Enqueue($"not stored {url}: {reason}");

        public void OnInvalidated(string url) => Lines.Enqueue($"invalidated {url}");
    }
}

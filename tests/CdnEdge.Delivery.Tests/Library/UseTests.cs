using CdnEdge.Caching;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Library;

/// <summary>The two uses that README and docs/library.md show.</summary>
public class UseTests
{
    [Fact]
    public async Task Routes_and_policies_from_configuration()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        var configuration = Server.Configuration($$"""
            {
              "ReverseProxy": {
                "Routes": {
                  "pages": { "ClusterId": "web", "Match": { "Path": "/{**path}" } },
                  "static": {
                    "ClusterId": "web", "Match": { "Path": "/static/{**path}" },
                    "Metadata": { "CdnEdge.CachePolicy": "static" }
                  }
                },
                "Clusters": { "web": { "Destinations": { "only": { "Address": "{{origin.Url}}" } } } }
              },
              "CdnEdge": {
                "Policies": { "static": { "Key": { "Query": "None" } } }
              }
            }
            """);

        builder.Services.AddReverseProxy()
            .LoadFromConfig(configuration.GetSection("ReverseProxy"))
            .AddCdnCache(configuration.GetSection("CdnEdge"));

        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);

        Assert.Equal("1 MISS", await edge.GetAsync("/page?a"));
        Assert.Equal("1 HIT", await edge.GetAsync("/page?a"));
        Assert.Equal("2 MISS", await edge.GetAsync("/page?b"));
        Assert.Equal("3 MISS", await edge.GetAsync("/static/logo?a"));
        Assert.Equal("3 HIT", await edge.GetAsync("/static/logo?b"));
    }

    [Fact]
    public async Task Routes_and_policies_in_code()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();

        builder.Services.AddReverseProxy()
            .LoadFromMemory(
                [
                    new RouteConfig { RouteId = "pages", ClusterId = "web", Match = new() { Path = "/{**path}" } },
                    new RouteConfig
                    {
                        RouteId = "assets",
                        ClusterId = "web",
                        Match = new() { Path = "/static/{**path}" },
                        Metadata = new Dictionary<string, string> { [CdnCacheMetadata.Policy] = "static" },
                    },
                ],
                [Server.Cluster(origin)])
            .AddCdnCache(options =>
            {
                options.Memory.MaxBytes = 64L << 20;
                options.Policies["default"] = new CachePolicy { Enabled = false };
                options.Policies["static"] = new CachePolicy { Key = { Query = QueryKeyMode.None } };
            });

        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);

        Assert.Equal("1 BYPASS", await edge.GetAsync("/page"));
        Assert.Equal("2 BYPASS", await edge.GetAsync("/page"));
        Assert.Equal("3 MISS", await edge.GetAsync("/static/logo?a"));
        Assert.Equal("3 HIT", await edge.GetAsync("/static/logo?b"));
    }

    [Fact]
    public async Task Configuration_and_code_together_where_code_has_the_last_word()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        var configuration = Server.Configuration("""
            { "CdnEdge": { "Name": "configured", "Policies": { "default": { "Enabled": false } } } }
            """);
        builder.Services.AddReverseProxy()
            .LoadFromMemory([Server.Route()], [Server.Cluster(origin)])
            .AddCdnCache(configuration.GetSection("CdnEdge"), options => options.Policies["default"].Enabled = true);
        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);

        Assert.Equal("1 MISS", await edge.GetAsync("/"));
        using var hit = await edge.SendAsync("/");
        Assert.StartsWith("configured; hit", Assert.Single(hit.Headers.GetValues("Cache-Status")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_option_everything_is_cached_by_the_book()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        builder.Services.AddReverseProxy()
            .LoadFromMemory([Server.Route()], [Server.Cluster(origin)])
            .AddCdnCache();
        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);

        Assert.Equal("1 MISS", await edge.GetAsync("/"));
        Assert.Equal("1 HIT", await edge.GetAsync("/"));
    }

    [Fact]
    public async Task Calling_it_twice_does_no_harm_and_both_options_hold()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        builder.Services.AddReverseProxy()
            .LoadFromMemory([Server.Route(), Server.Route("/off/{**path}", "off")], [Server.Cluster(origin)])
            .AddCdnCache(options => options.Name = "first")
            .AddCdnCache(options => options.Policies["off"] = new CachePolicy { Enabled = false });
        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);

        Assert.Equal("1 MISS", await edge.GetAsync("/"));
        using var hit = await edge.SendAsync("/");
        using var off = await edge.SendAsync("/off/");

        Assert.StartsWith("first; hit", Assert.Single(hit.Headers.GetValues("Cache-Status")), StringComparison.Ordinal);
        Assert.Equal("BYPASS", Server.Word(off));
        Assert.Single(off.Headers.GetValues("Via"));
    }
}

using System.Net;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Library;

/// <summary>ASP.NET's request timeouts, which YARP's routes name, hold for fills too.</summary>
public class TimeoutTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_route_with_a_timeout_is_cached()
    {
        await using var origin = await Server.CountingOriginAsync();
        await using var edge = await StartAsync(Server.Route() with { Timeout = Long }, origin);

        Assert.Equal("1 MISS", await edge.GetAsync("/"));
        Assert.Equal("1 HIT", await edge.GetAsync("/"));
    }

    [Theory]
    [InlineData("timeout", 504)]
    [InlineData("policy", 503)]
    [InlineData("default policy", 418)]
    public async Task An_origin_that_takes_longer_is_given_up(string by, int status)
    {
        await using var origin = await Server.OriginAsync(NeverAsync);
        var route = by switch
        {
            "timeout" => Server.Route() with { Timeout = Short },
            "policy" => Server.Route() with { TimeoutPolicy = "impatient" },
            _ => Server.Route(),
        };
        await using var edge = await StartAsync(route, origin, timeouts =>
        {
            timeouts.AddPolicy("impatient", new RequestTimeoutPolicy { Timeout = Short, TimeoutStatusCode = 503 });
            if (by == "default policy")
                timeouts.DefaultPolicy = new RequestTimeoutPolicy { Timeout = Short, TimeoutStatusCode = 418 };
        });

        using var answer = await edge.SendAsync("/");

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains("error=http_response_timeout", Assert.Single(answer.Headers.GetValues("Proxy-Status")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_goes_past_the_cache_is_given_up_too()
    {
        await using var origin = await Server.OriginAsync(NeverAsync);
        await using var edge = await StartAsync(Server.Route() with { Timeout = Short }, origin);

        using var answer = await edge.Client.PostAsync("/", new StringContent("x"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
    }

    [Fact]
    public async Task What_is_stale_stands_in_for_an_origin_that_takes_longer()
    {
        var answers = 0;
        await using var origin = await Server.OriginAsync(context =>
        {
            context.Response.Headers.CacheControl = "max-age=0, stale-if-error=60";
            context.Response.Headers.ETag = "\"1\"";
            return Interlocked.Increment(ref answers) == 1 ? context.Response.WriteAsync("old") : NeverAsync(context);
        });
        await using var edge = await StartAsync(Server.Route() with { Timeout = Short }, origin);

        Assert.Equal("old MISS", await edge.GetAsync("/"));
        using var stale = await edge.SendAsync("/");

        Assert.Equal(HttpStatusCode.OK, stale.StatusCode);
        Assert.Equal("old", await stale.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_body_that_takes_longer_breaks_off_and_is_not_stored()
    {
        var answers = 0;
        await using var origin = await Server.OriginAsync(async context =>
        {
            var first = Interlocked.Increment(ref answers) == 1;
            context.Response.ContentLength = 4;
            await context.Response.WriteAsync("ab");
            await context.Response.Body.FlushAsync();
            if (first)
                await NeverAsync(context);
            else
                await context.Response.WriteAsync("cd");
        });
        await using var edge = await StartAsync(Server.Route() with { Timeout = TimeSpan.FromSeconds(2) }, origin);

        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var broken = await edge.SendAsync("/");
            broken.EnsureSuccessStatusCode();
        });
        Assert.Equal("abcd MISS", await edge.GetAsync("/"));
    }

    [Fact]
    public async Task Without_the_middleware_such_a_route_is_refused_as_YARP_does()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        builder.Services.AddReverseProxy()
            .LoadFromMemory([Server.Route() with { Timeout = Long }], [Server.Cluster(origin)])
            .AddCdnCache();
        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);

        using var answer = await edge.SendAsync("/");

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
    }

    private static Task NeverAsync(HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    private static async Task<Server> StartAsync(RouteConfig route, Server origin, Action<RequestTimeoutOptions>? configure = null)
    {
        var builder = Server.Builder();
        builder.Services.AddRequestTimeouts(configure ?? (static _ => { }));
        builder.Services.AddReverseProxy()
            .LoadFromMemory([route], [Server.Cluster(origin)])
            .AddCdnCache(options => options.Policies["default"] = new CachePolicy());
        var app = builder.Build();
        app.UseRouting();
        app.UseRequestTimeouts();
        app.MapReverseProxy();
        return await Server.StartAsync(app);
    }
}

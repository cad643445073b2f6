using System.Net;
using CdnEdge.Caching;
using CdnEdge.Delivery.Tests.Library;
using CdnEdge.Delivery.Tests.Scene;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery.Tests.Ways;

/// <summary>What visitors get while nobody on a way answers.</summary>
public class NobodyAnswersTests
{
    [Fact]
    public async Task While_nobody_answers_stale_is_served_at_once_and_few_requests_try_on()
    {
        var asked = 0;
        var isDown = false;
        await using var origin = await Server.OriginAsync(context =>
        {
            Interlocked.Increment(ref asked);
            if (Volatile.Read(ref isDown))
            {
                context.Abort();
                return Task.CompletedTask;
            }

            context.Response.Headers.CacheControl = "max-age=0, stale-if-error=600";
            return context.Response.WriteAsync("page");
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new() { Breaker = new() { MinRequests = 1000 }, SlowStart = TimeSpan.Zero });
        for (var i = 0; i < 20; i++)
            Assert.Equal("200 page", await site.GetAsync($"/{i}"));

        Volatile.Write(ref isDown, true);
        var way = site.Upstreams.All.Single().Way;
        await CachedSite.UntilAsync(
            () =>
            {
                site.GetAsync("/0").Wait(TestContext.Current.CancellationToken);
                return way.DownSince is not null;
            },
            "that nobody answers");
        var before = Volatile.Read(ref asked);
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                using var answer = await site.SendAsync(HttpMethod.Get, $"/{i}");
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Assert.Contains("fwd=stale", answer.Headers.GetValues("Cache-Status").Single(), StringComparison.Ordinal);
            }
        }

        Assert.InRange(Volatile.Read(ref asked) - before, 0, 10);
        Volatile.Write(ref isDown, false);
        await CachedSite.UntilAsync(
            () =>
            {
                site.GetAsync("/0").Wait(TestContext.Current.CancellationToken);
                return way.DownSince is null;
            },
            "the one that tries finds it well");
        await CachedSite.UntilAsync(() => site.Log.Any(static line => line.StartsWith("OriginUp: ", StringComparison.Ordinal)), "that it's said");
    }

    [Fact]
    public async Task Where_everybody_is_left_out_already_stale_is_served_without_a_wait()
    {
        var isDown = false;
        await using var origin = await Server.OriginAsync(async context =>
        {
            if (Volatile.Read(ref isDown))
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            context.Response.Headers.CacheControl = "max-age=0, stale-if-error=600";
            await context.Response.WriteAsync("page");
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new() { Timeouts = new() { FirstByte = TimeSpan.FromMinutes(5), Total = TimeSpan.FromMinutes(5) }, SlowStart = TimeSpan.Zero });
        Assert.Equal("200 page", await site.GetAsync("/"));

        Volatile.Write(ref isDown, true);
        site.Destination("regional", 0).State.Health.Active = DestinationHealth.Unhealthy;
        using var answer = await site.SendAsync(HttpMethod.Get, "/").WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("fwd=stale", answer.Headers.GetValues("Cache-Status").Single(), StringComparison.Ordinal);
        Assert.Contains(site.Log, static line => line.StartsWith("OriginDown: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_shield_that_is_well_keeps_a_way_open_whose_servers_this_node_cannot_reach()
    {
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere()], ["shield"] = [WaySite.Nowhere()] },
            static clusters =>
            {
                clusters["regional"] = new() { Shield = "shield" };
                clusters["shield"] = new() { Peers = true };
            },
            all: static options => options.Peering.Key = Convert.ToBase64String(new byte[32]));
        site.Destination("regional", 0).State.Health.Active = DestinationHealth.Unhealthy;
        Assert.Null(site.Way().DownSince);

        site.Destination("shield", 0).State.Health.Active = DestinationHealth.Unhealthy;
        Assert.NotNull(site.Way().DownSince);
    }

    [Fact]
    public async Task The_sites_own_page_is_shown_for_an_error_of_the_edge()
    {
        var page = Path.Combine(Directory.CreateTempSubdirectory("cdnedge-test").FullName, "sorry.html");
        await File.WriteAllTextAsync(page, "<h1>Sorry</h1>", TestContext.Current.CancellationToken);
        await using var site = await WaySite.StartAsync(new() { ["regional"] = [WaySite.Nowhere()] }, policy: new CachePolicy { ErrorPage = page });

        using var answer = await site.SendAsync(HttpMethod.Get, "/a");

        Assert.Equal((HttpStatusCode.BadGateway, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Equal("<h1>Sorry</h1>", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Directory.Delete(Path.GetDirectoryName(page)!, recursive: true);
    }
}

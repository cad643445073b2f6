using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using CdnEdge.Delivery.Tests.Library;
using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Health;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Tests.Ways;

/// <summary>Whom a request asks, in which order, and when it asks another.</summary>
public class WayTests
{
    [Fact]
    public async Task Another_destination_answers_where_one_refuses_the_connection()
    {
        await using var good = await OriginAsync("good");
        await using var site = await WaySite.StartAsync(new() { ["regional"] = [WaySite.Nowhere(), good.Url] });

        Assert.Equal("200 good", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task Another_cluster_answers_where_the_first_has_nobody_left_within_the_same_request()
    {
        await using var core = await OriginAsync("core");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere(), WaySite.Nowhere()], ["core"] = [core.Url] },
            static clusters => clusters["regional"] = new() { Failover = "core" });

        Assert.Equal("200 core", await site.GetAsync("/a"));
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_status_that_counts_as_a_failure_sends_the_request_on(int status)
    {
        await using var ill = await OriginAsync("ill", status);
        await using var good = await OriginAsync("good");
        await using var site = await WaySite.StartAsync(new() { ["regional"] = [ill.Url, good.Url] });

        Assert.Equal("200 good", await site.GetAsync("/a"));
        Assert.Equal(1, site.Destination("regional", 0).Failures);
    }

    [Fact]
    public async Task An_error_that_everybody_gives_is_passed_on_as_the_origin_wrote_it()
    {
        await using var ill = await OriginAsync("closed for repairs", 503);
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [ill.Url], ["core"] = [WaySite.Nowhere()] },
            static clusters => clusters["regional"] = new() { Failover = "core" });

        Assert.Equal("503 closed for repairs", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task Who_failed_is_told_by_name_and_never_by_address()
    {
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere()], ["core"] = [WaySite.Nowhere()] },
            static clusters => clusters["regional"] = new() { Failover = "core" });

        using var answer = await site.SendAsync(HttpMethod.Get, "/a");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        var status = Assert.Single(answer.Headers.GetValues("Proxy-Status"));
        Assert.Equal(
            "cdnedge; error=connection_refused; next-hop=regional/d0; details=\"the upstream refused the connection\", "
            + "cdnedge; error=connection_refused; next-hop=core/d0; details=\"the upstream refused the connection\"",
            status);
        Assert.True(answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.DoesNotContain("127.0.0.1", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_may_say_otherwise_than_its_cluster()
    {
        await using var core = await OriginAsync("core");
        await using var other = await OriginAsync("other");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere()], ["core"] = [core.Url], ["other"] = [other.Url] },
            static clusters => clusters["regional"] = new() { Failover = "core" },
            metadata: new() { ["CdnEdge.Failover"] = "other" });

        Assert.Equal("200 other", await site.GetAsync("/a"));
    }

    [Fact]
    public async Task What_isnt_idempotent_goes_elsewhere_only_if_it_never_left()
    {
        await using var good = await OriginAsync("good");
        await using var breaking = RawOrigin.Serving(static async connection =>
        {
            await connection.ReadRequestAsync();
        });
        await using var refused = await WaySite.StartAsync(new() { ["regional"] = [WaySite.Nowhere(), good.Url] });
        await using var broken = await WaySite.StartAsync(new() { ["regional"] = [breaking.Url, good.Url] });

        using var moved = await refused.SendAsync(HttpMethod.Post, "/a", new StringContent("x"));
        using var lost = await broken.SendAsync(HttpMethod.Post, "/a", new StringContent("x"));
        using var again = await broken.SendAsync(HttpMethod.Get, "/b");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadGateway, HttpStatusCode.OK), (moved.StatusCode, lost.StatusCode, again.StatusCode));
    }

    [Fact]
    public async Task A_slow_destination_is_helped_by_another_and_the_first_answer_counts()
    {
        var gate = new TaskCompletionSource();
        await using var slow = await Server.OriginAsync(async context => await gate.Task.WaitAsync(context.RequestAborted));
        await using var fast = await OriginAsync("fast");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [slow.Url, fast.Url] },
            static clusters => clusters["regional"] = new() { Hedging = new() { MinDelay = TimeSpan.FromMilliseconds(50) } });

        Assert.Equal("200 fast", await site.GetAsync("/a"));
        Assert.Equal(0, site.Destination("regional", 0).Failures);
        await CachedSite.UntilAsync(() => site.Destination("regional", 0).InFlight == 0, "the slow request called off");
    }

    [Fact]
    public async Task A_destination_that_never_answers_is_given_up_for_the_next()
    {
        await using var hanging = await Server.OriginAsync(static context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var core = await OriginAsync("core");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [hanging.Url], ["core"] = [core.Url] },
            static clusters => clusters["regional"] = new()
            {
                Failover = "core",
                Hedging = new() { Enabled = false },
                Timeouts = new() { FirstByte = TimeSpan.FromMilliseconds(300) },
            });

        Assert.Equal("200 core", await site.GetAsync("/a"));
        Assert.Equal(1, site.Destination("regional", 0).Failures);
    }

    [Fact]
    public async Task The_total_timeout_ends_it_all_with_504_and_the_hops()
    {
        await using var hanging = await Server.OriginAsync(static context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [hanging.Url, hanging.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)] },
            static clusters => clusters["regional"] = new()
            {
                Hedging = new() { Enabled = false },
                Timeouts = new() { FirstByte = TimeSpan.FromMilliseconds(400), Total = TimeSpan.FromMilliseconds(500) },
            });

        using var answer = await site.SendAsync(HttpMethod.Get, "/a");

        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.StartsWith("cdnedge; error=http_response_timeout; next-hop=regional/d0", Assert.Single(answer.Headers.GetValues("Proxy-Status")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retries_of_an_ill_cluster_stay_within_the_budget()
    {
        var asked = 0;
        await using var ill = await Server.OriginAsync(context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [ill.Url, ill.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)] },
            static clusters => clusters["regional"] = new()
            {
                Retries = new() { Budget = 0.1, MinBudget = 3 },
                Breaker = new() { MinRequests = 1000 },
                Ejection = new() { Enabled = false },
            });

        for (var i = 0; i < 100; i++)
            await site.GetAsync($"/{i}");

        Assert.InRange(asked, 101, 113);
    }

    [Fact]
    public async Task A_destination_that_fails_again_and_again_is_ejected_but_never_the_last_one()
    {
        await using var good = await OriginAsync("good");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere(), good.Url], ["core"] = [WaySite.Nowhere()] },
            static clusters => clusters["regional"] = new() { Ejection = new() { ConsecutiveFailures = 3 }, Breaker = new() { MinRequests = 1000 } });

        for (var i = 0; i < 6; i++)
            Assert.Equal("200 good", await site.GetAsync($"/{i}"));

        Assert.Equal((DestinationCondition.Ejected, "3 failures in a row, the last connection_refused"), (site.Destination("regional", 0).Condition, site.Destination("regional", 0).Describe().Reason));
        Assert.Equal(3, site.Destination("regional", 0).Requests);
        Assert.Contains(site.Log, static line => line.StartsWith("UpstreamEjected: Upstream regional/d0 is ejected for 10 s", StringComparison.Ordinal));

        await good.DisposeAsync();
        for (var i = 10; i < 20; i++)
            await site.GetAsync($"/{i}");

        Assert.NotEqual(DestinationCondition.Ejected, site.Destination("regional", 1).Condition);
    }

    [Fact]
    public async Task A_breaker_opens_refuses_at_once_and_closes_again()
    {
        var isIll = true;
        await using var origin = await Server.OriginAsync(context =>
        {
            if (Volatile.Read(ref isIll))
                context.Abort();
            return context.Response.WriteAsync("origin");
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new()
            {
                Breaker = new() { MinRequests = 4, Break = TimeSpan.FromSeconds(1) },
                SlowStart = TimeSpan.Zero,
            });

        for (var i = 0; i < 4; i++)
            Assert.StartsWith("502 ", await site.GetAsync($"/{i}"), StringComparison.Ordinal);
        using var refused = await site.SendAsync(HttpMethod.Get, "/refused");

        Assert.Equal(DestinationCondition.Broken, site.Destination("regional", 0).Condition);
        Assert.Equal(4, site.Destination("regional", 0).Requests);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

        Volatile.Write(ref isIll, false);
        await CachedSite.UntilAsync(() => site.Destination("regional", 0).Condition != DestinationCondition.Broken, "the end of the break");
        Assert.Equal("200 origin", await site.GetAsync("/again"));
        Assert.Equal(DestinationCondition.Healthy, site.Destination("regional", 0).Condition);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Errors_that_are_answered_open_it_only_where_another_cluster_is_left(bool isAnotherLeft)
    {
        await using var ill = await OriginAsync("ill", 503);
        await using var core = await OriginAsync("core");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [ill.Url], ["core"] = [core.Url] },
            clusters => clusters["regional"] = new() { Failover = isAnotherLeft ? "core" : null, Breaker = new() { MinRequests = 4 } });

        for (var i = 0; i < 8; i++)
            Assert.Equal(isAnotherLeft ? "200 core" : "503 ill", await site.GetAsync($"/{i}"));

        Assert.Equal(isAnotherLeft ? DestinationCondition.Broken : DestinationCondition.Healthy, site.Destination("regional", 0).Condition);
        Assert.Equal(isAnotherLeft ? 4 : 8, site.Destination("regional", 0).Requests);
    }

    [Fact]
    public async Task A_client_that_leaves_counts_against_nobody()
    {
        var arrived = new SemaphoreSlim(0);
        await using var origin = await Server.OriginAsync(async context =>
        {
            arrived.Release();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new() { Breaker = new() { MinRequests = 2 } });

        for (var i = 0; i < 6; i++)
        {
            using var leaving = new CancellationTokenSource();
            var asking = site.Client.PostAsync("/", new StringContent("x"), leaving.Token);
            Assert.True(await arrived.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        }

        await CachedSite.UntilAsync(() => site.Destination("regional", 0).InFlight == 0, "the last one called off");
        Assert.Equal((0L, DestinationCondition.Healthy), (site.Destination("regional", 0).Failures, site.Destination("regional", 0).Condition));
    }

    [Fact]
    public async Task More_requests_than_there_are_places_wait_and_more_than_may_wait_are_refused()
    {
        var gate = new TaskCompletionSource();
        var most = 0;
        var now = 0;
        await using var origin = await Server.OriginAsync(async context =>
        {
            var current = Interlocked.Increment(ref now);
            InterlockedMax(ref most, current);
            await gate.Task;
            Interlocked.Decrement(ref now);
            await context.Response.WriteAsync("done");
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new() { Concurrency = new() { Limit = 3, Queue = 2 } });

        var asked = Enumerable.Range(0, 8).Select(i => site.GetAsync($"/{i}")).ToArray();
        await CachedSite.UntilAsync(() => asked.Count(static one => one.IsCompleted) == 3, "the three that find no place to wait");
        await CachedSite.UntilAsync(() => Volatile.Read(ref now) == 3, "the three that have a place");
        gate.SetResult();
        var answers = await Task.WhenAll(asked);

        Assert.Equal(5, answers.Count(static answer => answer == "200 done"));
        Assert.Equal(3, answers.Count(static answer => answer.StartsWith("503 ", StringComparison.Ordinal)));
        Assert.Equal(3, most);
        Assert.Equal(0, site.Destination("regional", 0).Failures);
    }

    [Fact]
    public async Task A_place_is_held_until_the_body_has_come()
    {
        var gate = new TaskCompletionSource();
        await using var origin = await Server.OriginAsync(async context =>
        {
            await context.Response.WriteAsync("begin");
            await context.Response.Body.FlushAsync();
            await gate.Task;
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new() { Concurrency = new() { Limit = 1, Queue = 0 } });

        using var first = await site.Client.GetAsync("/a", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.StartsWith("503 ", await site.GetAsync("/b"), StringComparison.Ordinal);
        gate.SetResult();
        Assert.Equal("begin", await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await CachedSite.UntilAsync(() => site.Destination("regional", 0).InFlight == 0, "the place given back");
        Assert.Equal("200 begin", await site.GetAsync("/c"));
    }

    [Fact]
    public async Task An_event_stream_takes_no_place()
    {
        var gate = new TaskCompletionSource();
        await using var origin = await Server.OriginAsync(async context =>
        {
            context.Response.ContentType = context.Request.Path == "/events" ? "text/event-stream" : "text/plain";
            await context.Response.WriteAsync("begin");
            await context.Response.Body.FlushAsync();
            if (context.Request.Path == "/events")
                await gate.Task;
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            static clusters => clusters["regional"] = new() { Concurrency = new() { Limit = 1, Queue = 0 } });

        using var events = await site.Client.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        Assert.Equal("200 begin", await site.GetAsync("/a"));
        gate.SetResult();
    }

    [Fact]
    public async Task What_never_left_goes_elsewhere_without_a_budget()
    {
        await using var good = await OriginAsync("good");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere(), good.Url] },
            static clusters => clusters["regional"] = new()
            {
                Retries = new() { Budget = 0, MinBudget = 0 },
                Breaker = new() { MinRequests = 1000 },
                Ejection = new() { Enabled = false },
            });

        for (var i = 0; i < 20; i++)
            Assert.Equal("200 good", await site.GetAsync($"/{i}"));
    }

    [Fact]
    public async Task Polly_tells_of_requests_on_which_no_strategy_acts_and_of_those_that_are_late()
    {
        await using var origin = await Server.OriginAsync(async context =>
        {
            if (context.Request.Path == "/late")
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            await context.Response.WriteAsync("page");
        });
        var told = new ConcurrentQueue<(string Instrument, string Pipeline, string? Strategy, string Event)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Polly")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => told.Enqueue(Tell(instrument, tags)));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => told.Enqueue(Tell(instrument, tags)));
        listener.Start();

        // A name of its own: other tests run in this process at the same time.
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [WaySite.Nowhere()], ["told-of"] = [origin.Url] },
            static clusters =>
            {
                clusters["regional"] = new() { Failover = "told-of" };
                clusters["told-of"] = new() { Timeouts = new() { FirstByte = TimeSpan.FromSeconds(2) } };
            });

        Assert.Equal("200 page", await site.GetAsync("/"));
        Assert.StartsWith("50", await site.GetAsync("/late"), StringComparison.Ordinal);

        Assert.Equal(2, told.Count(static one => one is ("resilience.polly.pipeline.duration", "told-of/d0", _, "PipelineExecuted")));
        Assert.Single(told, static one => one is ("resilience.polly.strategy.events", "told-of/d0", "first-byte", "OnTimeout"));

        static (string, string, string?, string) Tell(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = new Dictionary<string, object?>(tags.ToArray());
            return (instrument.Name, (string)all["pipeline.name"]!, (string?)all.GetValueOrDefault("strategy.name"), (string)all["event.name"]!);
        }
    }

    [Fact]
    public async Task Fields_go_on_as_they_came()
    {
        await using var origin = await Server.OriginAsync(static context =>
        {
            context.Response.Headers.ContentType = "text/plain;charset=utf-8;  x=y";
            return context.Response.WriteAsync("page");
        });
        await using var site = await WaySite.StartAsync(new() { ["regional"] = [origin.Url] });

        using var answer = await site.SendAsync(HttpMethod.Get, "/");

        Assert.Equal("text/plain;charset=utf-8;  x=y", answer.Content.Headers.NonValidated["Content-Type"].ToString());
    }

    [Fact]
    public async Task Probes_have_to_fail_and_to_succeed_as_often_as_is_said()
    {
        var body = "fine";
        var probes = 0;
        await using var origin = await Server.OriginAsync(context =>
        {
            if (context.Request.Path == "/health")
                Interlocked.Increment(ref probes);
            return context.Response.WriteAsync(context.Request.Path == "/health" ? Volatile.Read(ref body) : "origin");
        });
        await using var core = await OriginAsync("core");
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url], ["core"] = [core.Url] },
            static clusters => clusters["regional"] = new() { Failover = "core", SlowStart = TimeSpan.Zero, Probe = new() { Body = "fine", Unhealthy = 3, Healthy = 2 } },
            adapt: static cluster => cluster.ClusterId != "regional" ? cluster : cluster with
            {
                HealthCheck = new() { Active = new() { Enabled = true, Interval = TimeSpan.FromMilliseconds(100), Timeout = TimeSpan.FromSeconds(5), Path = "/health", Policy = "Thresholds" } },
            });
        Assert.Equal("200 origin", await site.GetAsync("/a"));

        Volatile.Write(ref body, "ill");
        await CachedSite.UntilAsync(() => site.Destination("regional", 0).Condition == DestinationCondition.Unhealthy, "unhealthy");
        Assert.Equal("200 core", await site.GetAsync("/b"));
        Assert.Contains(site.Log, static line => line == "UpstreamUnhealthy: Upstream regional/d0 is unhealthy: the probe's body doesn't contain 'fine'");

        Volatile.Write(ref body, "fine");
        var before = Volatile.Read(ref probes);
        await CachedSite.UntilAsync(() => site.Destination("regional", 0).Condition == DestinationCondition.Healthy, "healthy again");
        Assert.InRange(Volatile.Read(ref probes) - before, 2, 100);
        Assert.Equal("200 origin", await site.GetAsync("/c"));
    }

    [Fact]
    public async Task Health_is_ignored_rather_than_a_request_refused()
    {
        await using var origin = await Server.OriginAsync(static context =>
        {
            context.Response.StatusCode = context.Request.Path == "/health" ? 500 : 200;
            return context.Response.WriteAsync("origin");
        });
        await using var site = await WaySite.StartAsync(
            new() { ["regional"] = [origin.Url] },
            adapt: static cluster => cluster with
            {
                HealthCheck = new() { Active = new() { Enabled = true, Interval = TimeSpan.FromMilliseconds(50), Path = "/health", Policy = "Thresholds" } },
            });
        await CachedSite.UntilAsync(() => site.Destination("regional", 0).Condition == DestinationCondition.Unhealthy, "unhealthy");

        Assert.Equal("200 origin", await site.GetAsync("/a"));
    }

    private static Task<Server> OriginAsync(string name, int status = 200) => Server.OriginAsync(context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(name);
    });

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}

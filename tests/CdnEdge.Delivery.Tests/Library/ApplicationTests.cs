using System.Net;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using CdnEdge.Caching;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Library;

/// <summary>The cache stands where YARP's pipeline would: before it the application's own, behind it all that YARP does.</summary>
public class ApplicationTests
{
    [Fact]
    public async Task A_hit_is_for_the_authorised_only()
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        builder.Services.AddAuthentication("badge").AddScheme<AuthenticationSchemeOptions, Badge>("badge", null);
        builder.Services.AddAuthorization(options => options.AddPolicy("staff", policy => policy.RequireRole("staff")));
        await using var edge = await StartAsync(builder, [Server.Route() with { AuthorizationPolicy = "staff" }], origin);

        Assert.Equal("1 MISS", await edge.GetAsync("/", ("X-Badge", "staff")));
        Assert.Equal("1 HIT", await edge.GetAsync("/", ("X-Badge", "staff")));
        using var visitor = await edge.SendAsync("/", ("X-Badge", "visitor"));
        using var nobody = await edge.SendAsync("/");

        Assert.Equal(HttpStatusCode.Forbidden, visitor.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task Endpoints_of_the_applications_own_are_left_alone()
    {
        await using var origin = await Server.CountingOriginAsync();
        var calls = 0;
        await using var edge = await StartAsync(Server.Builder(), [Server.Route()], origin, app =>
            app.MapGet("/own", (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "max-age=60";
                return $"own {++calls}";
            }));

        Assert.Equal("own 1 NONE", await edge.GetAsync("/own"));
        Assert.Equal("own 2 NONE", await edge.GetAsync("/own"));
        Assert.Equal("1 MISS", await edge.GetAsync("/other"));
    }

    [Fact]
    public async Task Transforms_work_and_the_answer_is_stored_as_they_leave_it()
    {
        await using var origin = await Server.OriginAsync(context =>
        {
            context.Response.Headers["X-Inner"] = "secret";
            return context.Response.WriteAsync($"{context.Request.Path} {context.Request.Headers["X-Edge"]}");
        });
        var route = Server.Route() with
        {
            Transforms =
            [
                new Dictionary<string, string> { ["PathPrefix"] = "/inner" },
                new Dictionary<string, string> { ["RequestHeader"] = "X-Edge", ["Set"] = "yes" },
                new Dictionary<string, string> { ["ResponseHeader"] = "X-Outer", ["Set"] = "yes" },
                new Dictionary<string, string> { ["ResponseHeaderRemove"] = "X-Inner" },
            ],
        };
        await using var edge = await StartAsync(Server.Builder(), [route], origin);

        foreach (var word in new[] { "MISS", "HIT" })
        {
            using var answer = await edge.SendAsync("/page");
            Assert.Equal(word, Server.Word(answer));
            Assert.Equal("/inner/page yes", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            Assert.Equal("yes", Assert.Single(answer.Headers.GetValues("X-Outer")));
            Assert.False(answer.Headers.Contains("X-Inner"));
        }
    }

    [Fact]
    public async Task Load_is_balanced_among_misses()
    {
        await using var one = await Server.OriginAsync(context => context.Response.WriteAsync("one"));
        await using var two = await Server.OriginAsync(context => context.Response.WriteAsync("two"));
        var cluster = Two(one, two) with { LoadBalancingPolicy = "RoundRobin" };
        await using var edge = await StartAsync(Server.Builder(), [Server.Route()], cluster);

        var misses = new HashSet<string> { await edge.GetAsync("/1"), await edge.GetAsync("/2") };
        var hits = new HashSet<string> { await edge.GetAsync("/1"), await edge.GetAsync("/2") };

        Assert.Equal(["one MISS", "two MISS"], misses.Order());
        Assert.Equal(["one HIT", "two HIT"], hits.Order());
    }

    [Fact]
    public async Task Session_affinity_sticks_and_its_cookie_is_never_shared()
    {
        await using var one = await Server.OriginAsync(context => context.Response.WriteAsync("one"));
        await using var two = await Server.OriginAsync(context => context.Response.WriteAsync("two"));
        var cluster = Two(one, two) with
        {
            LoadBalancingPolicy = "RoundRobin",
            SessionAffinity = new SessionAffinityConfig { Enabled = true, Policy = "HashCookie", AffinityKeyName = "stick" },
        };
        await using var edge = await StartAsync(Server.Builder(), [Server.Route()], cluster);

        using var first = await edge.SendAsync("/");
        var home = await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var cookie = Assert.Single(first.Headers.GetValues("Set-Cookie")).Split(';')[0];
        using var stranger = await edge.SendAsync("/");

        for (var i = 0; i < 4; i++)
            Assert.StartsWith(home, await edge.GetAsync($"/{i}", ("Cookie", cookie)), StringComparison.Ordinal);
        Assert.Equal("MISS", Server.Word(stranger));
        Assert.NotEqual(cookie, Assert.Single(stranger.Headers.GetValues("Set-Cookie")).Split(';')[0]);
    }

    [Fact]
    public async Task Routes_chosen_by_header_or_query_have_policies_of_their_own()
    {
        await using var origin = await Server.CountingOriginAsync();
        var byHeader = Server.Route(policy: "none") with
        {
            RouteId = "beta",
            Order = -1,
            Match = new RouteMatch { Path = "/{**path}", Headers = [new RouteHeader { Name = "X-Beta", Values = ["1"] }] },
        };
        var byQuery = Server.Route(policy: "no query") with
        {
            RouteId = "search",
            Order = -1,
            Match = new RouteMatch { Path = "/{**path}", QueryParameters = [new RouteQueryParameter { Name = "q", Mode = QueryParameterMatchMode.Exists }] },
        };
        await using var edge = await StartAsync(Server.Builder(), [Server.Route(), byHeader, byQuery], origin);

        Assert.Equal("1 MISS", await edge.GetAsync("/page"));
        Assert.Equal("2 BYPASS", await edge.GetAsync("/page", ("X-Beta", "1")));
        Assert.Equal("1 HIT", await edge.GetAsync("/page"));
        Assert.Equal("3 MISS", await edge.GetAsync("/search?q=1&x=2"));
        Assert.Equal("4 MISS", await edge.GetAsync("/search?x=2"));
        Assert.Equal("3 HIT", await edge.GetAsync("/search?x=3&q=2"));
    }

    [Fact]
    public async Task A_response_field_beyond_ASCII_is_handed_on_octet_by_octet()
    {
        await using var origin = RawOrigin.Answering(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX-Place: Z\u00fcrich \u00c3\u00bc\r\nContent-Length: 2\r\n\r\nok");
        var cluster = new ClusterConfig
        {
            ClusterId = "web",
            Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = origin.Url } },
        };
        await using var edge = await StartAsync(Server.Builder(), [Server.Route()], cluster);

        foreach (var word in new[] { "MISS", "HIT" })
        {
            using var answer = await edge.SendAsync("/");
            Assert.Equal(word, Server.Word(answer));
            Assert.Equal("Z\u00fcrich \u00c3\u00bc", Assert.Single(answer.Headers.GetValues("X-Place")));
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: +2\r\n\r\nhi", "a signed length")]
    [InlineData("GET / HTTP/1.1\nHost: a\nConnection: close\n\n", "bare LF")]
    [InlineData("GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "two hosts")]
    public async Task Kestrel_stays_strict_whatever_the_application_sets_later(string bytes, string what)
    {
        await using var origin = await Server.CountingOriginAsync();
        var builder = Server.Builder();
        builder.Services.AddReverseProxy().LoadFromMemory([Server.Route()], [Server.Cluster(origin)]).AddCdnCache();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AllowHostHeaderOverride = true;
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        });
        var app = builder.Build();
        app.MapReverseProxy();
        await using var edge = await Server.StartAsync(app);
        await using var client = await RawClient.ConnectAsync(new Uri(edge.Url).Port);

        await client.SendAsync(bytes);
        var answer = await client.ReadToEndAsync();

        Assert.True(answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), $"{what}: {answer}");
    }

    private static ClusterConfig Two(Server one, Server two) => new()
    {
        ClusterId = "web",
        Destinations = new Dictionary<string, DestinationConfig>
        {
            ["one"] = new() { Address = one.Url },
            ["two"] = new() { Address = two.Url },
        },
    };

    private static Task<Server> StartAsync(
        WebApplicationBuilder builder, RouteConfig[] routes, Server origin, Action<WebApplication>? map = null) =>
        StartAsync(builder, routes, Server.Cluster(origin), map);

    private static async Task<Server> StartAsync(
        WebApplicationBuilder builder, RouteConfig[] routes, ClusterConfig cluster, Action<WebApplication>? map = null)
    {
        builder.Services.AddReverseProxy()
            .LoadFromMemory(routes, [cluster])
            .AddCdnCache(options =>
            {
                options.Policies["none"] = new CachePolicy { Enabled = false };
                options.Policies["no query"] = new CachePolicy { Key = { Query = QueryKeyMode.None } };
            });
        var app = builder.Build();
        map?.Invoke(app);
        app.MapReverseProxy();
        return await Server.StartAsync(app);
    }

    /// <summary>Whoever shows a badge has the role that's on it.</summary>
    private sealed class Badge(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-Badge"] is not [{ } role])
                return Task.FromResult(AuthenticateResult.NoResult());

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Role, role)], Scheme.Name);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
        }
    }
}

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Tests;

/// <summary>What visitors pass before the routes and what the answers say to their browsers, by site.</summary>
public sealed class SiteTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("www.example.org", "/a%2Fb/?c=d&e", "https://www.example.org/a%2Fb/?c=d&e")]
    [InlineData("www.example.org:8080", "/", "https://www.example.org:PORT/")]
    [InlineData("mapped.example.org:8080", "/", "https://mapped.example.org:444/")]
    [InlineData("[2001:db8::1]:8080", "/", "https://[2001:db8::1]:PORT/")]
    public async Task Who_comes_over_http_is_sent_to_the_same_URL_over_https(string host, string target, string location)
    {
        var port = FreePort();
        await using var edge = await EdgeAsync("""{ "*": { "HttpsRedirect": true }, "mapped.example.org": { "HttpsPort": 444 } }""", listen: ["http://127.0.0.1:0", $"https://127.0.0.1:{port}"]);
        using var response = await SendAsync(edge, host, target, HttpMethod.Post);

        Assert.Equal(HttpStatusCode.PermanentRedirect, response.StatusCode);
        Assert.Equal(location.Replace("PORT", $"{port}", StringComparison.Ordinal), Assert.Single(response.Headers.GetValues("Location")));
        Assert.Equal("cdnedge; detail=https-redirect", Assert.Single(response.Headers.GetValues("Cache-Status")));
    }

    [Fact]
    public async Task Who_comes_through_a_proxy_that_has_https_is_not_sent_there_again()
    {
        await using var edge = await EdgeAsync("""{ "*": { "HttpsRedirect": true, "Hsts": { "MaxAge": "01:00:00" } } }""", """ "Forwarding": { "TrustedProxies": [ "127.0.0.1" ] },""");
        using var response = await SendAsync(edge, "www.example.org", "/", fields: ("X-Forwarded-Proto", "https"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("max-age=3600", Assert.Single(response.Headers.GetValues("Strict-Transport-Security")));
    }

    [Fact]
    public async Task Nobody_but_a_trusted_proxy_says_what_is_https()
    {
        await using var edge = await EdgeAsync("""{ "*": { "HttpsRedirect": true } }""");
        using var response = await SendAsync(edge, "www.example.org", "/", fields: ("X-Forwarded-Proto", "https"));

        Assert.Equal(HttpStatusCode.PermanentRedirect, response.StatusCode);
    }

    [Fact]
    public async Task A_target_that_is_none_is_not_repeated_in_a_redirect()
    {
        await using var edge = await EdgeAsync("""{ "*": { "HttpsRedirect": true } }""");
        using var response = await SendAsync(edge, "www.example.org", "/%zz");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Answers_get_the_fields_that_they_do_not_have_on_hits_and_errors_too()
    {
        await using var edge = await EdgeAsync(
            """{ "*": { "SecurityHeaders": true, "Headers": { "X-Own": "edge", "Content-Security-Policy": "default-src 'self'" }, "Hsts": { } } }""");
        for (var i = 0; i < 2; i++)
        {
            using var response = await SendAsync(edge, "www.example.org", "/x");
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("DENY", Assert.Single(response.Headers.GetValues("X-Frame-Options"))); // the origin's own
            Assert.Equal("origin", Assert.Single(response.Headers.GetValues("X-Own")));
            Assert.Equal("default-src 'self'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
            Assert.Equal("cdnedge.test", Assert.Single(response.Headers.GetValues("Set-By")));
            Assert.False(response.Headers.Contains("Strict-Transport-Security")); // RFC 6797 §7.2: not over http
            Assert.Equal(i == 1, Assert.Single(response.Headers.GetValues("Cache-Status")).Contains("hit", StringComparison.Ordinal));
        }

        using var refused = await SendAsync(edge, "www.example.org", "/%zz");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("nosniff", Assert.Single(refused.Headers.GetValues("X-Content-Type-Options")));
    }

    [Fact]
    public async Task What_the_origin_speaks_itself_is_not_told_to_visitors()
    {
        await using var edge = await EdgeAsync("{ }");
        foreach (var path in new[] { "/x", "/x", "/private" })
        {
            using var response = await SendAsync(edge, "www.example.org", path);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.False(response.Headers.Contains("Alt-Svc"));
        }
    }

    [Fact]
    public async Task A_changed_configuration_counts_without_a_restart()
    {
        await using var origin = await OriginAsync();
        using var file = new TemporaryFile(Json(origin, "{ }"));
        await using var edge = await Running.EdgeAsync(Given.Source(file.Path));
        using (var before = await SendAsync(edge, "www.example.org", "/"))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        file.Replace(Json(origin, """{ "*": { "HttpsRedirect": true } }"""));

        await Deadline.Until(async () =>
        {
            using var response = await SendAsync(edge, "www.example.org", "/");
            return response.StatusCode == HttpStatusCode.PermanentRedirect;
        });
    }

    [Fact]
    public async Task Challenges_of_ACME_are_answered_from_the_folder_before_anything_is_redirected()
    {
        var folder = Directory.CreateTempSubdirectory("cdnedge-acme");
        var challenges = folder.CreateSubdirectory(".well-known/acme-challenge").FullName;
        await File.WriteAllTextAsync(Path.Combine(challenges, "to-ken_1"), "to-ken_1.thumb", Stop);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "secret"), "secret", Stop);
        try
        {
            await using var edge = await EdgeAsync("""{ "*": { "HttpsRedirect": true } }""", $$""" "Acme": { "Folder": "{{folder.FullName}}" },""");

            using var response = await SendAsync(edge, "www.example.org", "/.well-known/acme-challenge/to-ken_1");
            Assert.Equal("to-ken_1.thumb", await response.Content.ReadAsStringAsync(Stop));
            foreach (var other in new[] { "unknown", "to-ken_1%2F", "a/b", "" })
            {
                using var redirected = await SendAsync(edge, "www.example.org", "/.well-known/acme-challenge/" + other);
                Assert.Equal(HttpStatusCode.PermanentRedirect, redirected.StatusCode);
            }

            using var climbing = await SendAsync(edge, "www.example.org", "/.well-known/acme-challenge/..%2F..%2Fsecret");
            Assert.Equal(HttpStatusCode.BadRequest, climbing.StatusCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Challenges_that_the_ACME_client_does_not_know_are_the_sites_and_so_are_all_when_it_does_not_run()
    {
        string? host = null;
        var cookies = 0;
        var client = await Running.OriginAsync(async context =>
        {
            (host, cookies) = (context.Request.Host.Value, context.Request.Headers.Cookie.Count);
            if (context.Request.Path == "/.well-known/acme-challenge/known")
                await context.Response.WriteAsync("from the client", Stop);
            else
                context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        await using var edge = await EdgeAsync("{ }", $$""" "Acme": { "Forward": "{{client.Urls.Single()}}" },""");

        using (var known = await SendAsync(edge, "www.example.org", "/.well-known/acme-challenge/known", fields: ("Cookie", "a=b")))
            Assert.Equal("from the client", await known.Content.ReadAsStringAsync(Stop));
        Assert.Equal(("www.example.org", 0), (host, cookies));

        using (var unknown = await SendAsync(edge, "www.example.org", "/.well-known/acme-challenge/unknown"))
            Assert.Equal("origin", await unknown.Content.ReadAsStringAsync(Stop));

        await client.DisposeAsync();
        using var down = await SendAsync(edge, "www.example.org", "/.well-known/acme-challenge/known");
        Assert.Equal("origin", await down.Content.ReadAsStringAsync(Stop));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<WebApplication> EdgeAsync(string sites, string edge = "", string[]? listen = null)
    {
        var origin = await OriginAsync();
        using var file = new TemporaryFile(Json(origin, sites, edge));
        var running = await Running.EdgeAsync(Given.Source(file.Path, listen: listen ?? ["http://127.0.0.1:0"]));
        running.Lifetime.ApplicationStopped.Register(() => _ = origin.DisposeAsync().AsTask());
        return running;
    }

    private static Task<WebApplication> OriginAsync() => Running.OriginAsync(context =>
    {
        var headers = context.Response.Headers;
        headers.CacheControl = context.Request.Path == "/private" ? "no-store" : "max-age=600";
        headers.XFrameOptions = "DENY";
        headers["X-Own"] = "origin";
        headers["Set-By"] = "cdnedge.test";
        headers.AltSvc = "h3=\":9\"";
        return context.Response.WriteAsync("origin", Stop);
    });

    private static string Json(WebApplication origin, string sites, string edge = "") => $$"""
        {
          "CdnEdge": { "Listen": [ "http://127.0.0.1:0" ], {{edge}} "Sites": {{sites}} },
          "ReverseProxy": {
            "Routes": { "site": { "ClusterId": "web", "Match": { "Path": "/{**path}" } } },
            "Clusters": { "web": { "Destinations": { "one": { "Address": "{{origin.Urls.Single()}}" } } } }
          }
        }
        """;

    private static async Task<HttpResponseMessage> SendAsync(WebApplication edge, string host, string target, HttpMethod? method = null, params (string, string)[] fields)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        var address = edge.Urls.First(static url => url.StartsWith("http:", StringComparison.Ordinal));
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri(address + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.Host = host;
        foreach (var (name, value) in fields)
            request.Headers.Add(name, value);
        return await client.SendAsync(request, Stop);
    }
}

using System.Collections;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CdnEdge.Commands;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace CdnEdge.Tests;

/// <summary>Who gets in, how often, and with what: the whole edge between a client and an origin.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string Key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    private readonly ConcurrentQueue<(string Target, IHeaderDictionary Headers)> _seen = new();
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication _origin = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _origin = await Running.OriginAsync(async context =>
    {
        _seen.Enqueue((context.Request.GetEncodedPathAndQuery(), new HeaderDictionary(context.Request.Headers.ToDictionary())));
        if (context.Request.Path == "/slow")
            await _gate.Task;
        if (context.Request.Path == "/claimed")
            context.Response.Headers.Vary = "X-Original-URL";
        context.Response.Headers.CacheControl = context.Request.Path == "/brief" ? "max-age=1" : "max-age=600";
        await context.Response.WriteAsync("origin", Stop);
    });

    public async ValueTask DisposeAsync()
    {
        _gate.TrySetResult();
        await _origin.DisposeAsync();
    }

    [Theory]
    [InlineData("""{ "Deny": [ "127.0.0.0/8" ] }""", HttpStatusCode.Forbidden)]
    [InlineData("""{ "Allow": [ "203.0.113.0/24" ] }""", HttpStatusCode.Forbidden)]
    [InlineData("""{ "Allow": [ "127.0.0.0/8" ] }""", HttpStatusCode.OK)]
    [InlineData("""{ "Allow": [ "127.0.0.0/8" ], "Deny": [ "127.0.0.1" ] }""", HttpStatusCode.Forbidden)]
    public async Task Addresses_are_let_in_or_not(string addresses, HttpStatusCode expected)
    {
        await using var edge = await EdgeAsync($$"""{ "*": { "Addresses": {{addresses}} } }""");
        using var response = await GetAsync(edge, "/");

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, _seen.Count);
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_it_is_the_clients_address_that_counts()
    {
        await using var edge = await EdgeAsync("""{ "*": { "Addresses": { "Deny": [ "203.0.113.9" ] } } }""", """ "Forwarding": { "TrustedProxies": [ "127.0.0.1" ] },""");

        using var denied = await GetAsync(edge, "/", ("X-Forwarded-For", "203.0.113.9"));
        using var other = await GetAsync(edge, "/", ("X-Forwarded-For", "203.0.113.9, 203.0.113.10"));

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (denied.StatusCode, other.StatusCode));
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_again()
    {
        await using var edge = await EdgeAsync("""{ "*": { "ClientRate": { "PerSecond": 0.1, "Burst": 2 } } }""", """ "Forwarding": { "TrustedProxies": [ "127.0.0.1" ] },""");
        var client = ("X-Forwarded-For", "203.0.113.9");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/", client)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/", client)).StatusCode);

        using var refused = await GetAsync(edge, "/", client);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        Assert.Equal("cdnedge; detail=rate-limited", Assert.Single(refused.Headers.GetValues("Cache-Status")));

        using var other = await GetAsync(edge, "/", ("X-Forwarded-For", "203.0.113.10"));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_site_takes_no_more_than_it_takes_and_other_sites_notice_nothing()
    {
        await using var edge = await EdgeAsync("""{ "www.example.org": { "SiteRate": { "PerSecond": 0.1, "Burst": 1 } } }""");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/", ("Host", "www.example.org"))).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync(edge, "/", ("Host", "www.example.org"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/", ("Host", "www.example.net"))).StatusCode);
    }

    [Fact]
    public async Task Random_queries_use_up_a_budget_and_what_is_stored_is_served_on()
    {
        await using var edge = await EdgeAsync("""{ "*": { "MissRate": { "PerSecond": 0.1, "Burst": 3 } } }""");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/page")).StatusCode);

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 10; i++)
            statuses.Add((await GetAsync(edge, $"/page?bust={i}")).StatusCode);

        Assert.Equal(2, statuses.Count(static status => status == HttpStatusCode.OK));
        Assert.Equal(8, statuses.Count(static status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(3, _seen.Count);
        using var hit = await GetAsync(edge, "/page");
        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
    }

    [Fact]
    public async Task What_is_stored_costs_nothing_of_the_budget_though_the_request_claimed_to_be_another()
    {
        await using var edge = await EdgeAsync("""{ "*": { "MissRate": { "PerSecond": 0.1, "Burst": 1 } } }""");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/claimed")).StatusCode);

        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/claimed", ("X-Original-URL", $"/{i}"))).StatusCode);

        Assert.Single(_seen);
    }

    [Fact]
    public async Task With_too_much_to_do_misses_are_shed_and_hits_are_served()
    {
        await using var edge = await EdgeAsync("{ }", """ "Limits": { "Fetches": 1 },""");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/page")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/brief")).StatusCode);
        var slow = GetAsync(edge, "/slow");
        await Deadline.Until(() => Task.FromResult(_seen.Any(static request => request.Target == "/slow")));

        using var shed = await GetAsync(edge, "/other");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, shed.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), shed.Headers.RetryAfter!.Delta);
        Assert.Equal("cdnedge; detail=shed", Assert.Single(shed.Headers.GetValues("Cache-Status")));
        using var post = await GetAsync(edge, "/other", HttpMethod.Post);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, post.StatusCode);
        using var hit = await GetAsync(edge, "/page");
        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
        Assert.DoesNotContain(_seen, static request => request.Target == "/other");

        _gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await slow).StatusCode);
        using var again = await GetAsync(edge, "/other");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task Something_stale_is_better_than_a_refusal()
    {
        await using var edge = await EdgeAsync("{ }", """ "Limits": { "Fetches": 1 }, "Policies": { "default": { "StaleIfError": "01:00:00" } },""");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "/brief")).StatusCode);
        var slow = GetAsync(edge, "/slow");
        await Deadline.Until(() => Task.FromResult(_seen.Any(static request => request.Target == "/slow")));

        await Deadline.Until(async () =>
        {
            using var response = await GetAsync(edge, "/brief");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return response.Headers.GetValues("Cache-Status").Single().Contains("ttl=-", StringComparison.Ordinal);
        });
        Assert.Single(_seen, static request => request.Target == "/brief");

        _gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await slow).StatusCode);
    }

    [Theory]
    [InlineData("/a.jpg", "https://thief.example.com/page", HttpStatusCode.Forbidden)]
    [InlineData("/a.JPG", "https://thief.example.com/page", HttpStatusCode.Forbidden)]
    [InlineData("/a.jpg", "nonsense", HttpStatusCode.Forbidden)]
    [InlineData("/a.jpg", "https://www.example.org/page", HttpStatusCode.OK)]
    [InlineData("/a.jpg", "https://img.friend.example.com/page", HttpStatusCode.OK)]
    [InlineData("/a.jpg", null, HttpStatusCode.OK)]
    [InlineData("/a.html", "https://thief.example.com/page", HttpStatusCode.OK)]
    public async Task Other_sites_do_not_show_this_ones_images(string target, string? referer, HttpStatusCode expected)
    {
        await using var edge = await EdgeAsync("""{ "*": { "HotLinks": { "Allow": [ "*.friend.example.com" ] } } }""");
        using var response = await GetAsync(edge, target, [("Host", "www.example.org"), .. referer is null ? Array.Empty<(string, string)>() : [("Referer", referer)]]);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Signed_URLs_share_what_is_stored_and_the_origin_sees_no_token()
    {
        var sites = $$"""{ "www.example.org": { "Tokens": { "Paths": [ "/video/" ], "Keys": { "one": "{{Key}}" } } } }""";
        using var file = new TemporaryFile(Json(sites));
        await using var edge = await Running.EdgeAsync(Given.Source(file.Path));
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(edge, "/video/a.mp4?q=1", ("Host", "www.example.org"))).StatusCode);

        for (var i = 1; i <= 2; i++)
        {
            var url = await SignAsync(file, "https://www.example.org/video/a.mp4?q=1", "--expires", $"0{i}:00:00");
            using var response = await GetAsync(edge, new Uri(url).PathAndQuery, ("Host", "www.example.org"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        var cookie = await SignAsync(file, "https://www.example.org/", "--prefix", "/video/", "--cookie");
        Assert.StartsWith("Set-Cookie: cdn-token=", cookie, StringComparison.Ordinal);
        var pair = cookie["Set-Cookie: ".Length..cookie.IndexOf(';', StringComparison.Ordinal)];
        using var byCookie = await GetAsync(edge, "/video/b.mp4", ("Host", "www.example.org"), ("Cookie", $"{pair}; other=1"));
        Assert.Equal(HttpStatusCode.OK, byCookie.StatusCode);

        Assert.Equal(["/video/a.mp4?q=1", "/video/b.mp4"], _seen.Select(static request => request.Target));
        Assert.Equal("other=1", _seen.Last().Headers.Cookie.ToString());
    }

    [Theory]
    [InlineData("no tokens are configured for www.example.net", "https://www.example.net/video/a")]
    [InlineData("'video' is not a URL", "video")]
    [InlineData("--key: no key is 'two'; one of one", "https://www.example.org/video/a", "--key", "two")]
    [InlineData("--expires: '1h' is not a time", "https://www.example.org/video/a", "--expires", "1h")]
    [InlineData("--prefix: 'video' is not the beginning", "https://www.example.org/video/a", "--prefix", "video")]
    [InlineData("--cookie: a cookie goes", "https://www.example.org/video/a", "--cookie")]
    public async Task Sign_says_what_is_wrong(string mistake, params string[] arguments)
    {
        using var file = new TemporaryFile(Json($$"""{ "www.example.org": { "Tokens": { "Paths": [ "/video/" ], "Keys": { "one": "{{Key}}" } } } }"""));
        using var output = new StringWriter();
        using var error = new StringWriter();

        var code = await new CommandLine(output, error, new Hashtable()).RunAsync(["sign", .. arguments, "--config", file.Path]);

        Assert.Equal((2, ""), (code, output.ToString()));
        Assert.Contains(mistake, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_origin_can_tell_that_a_request_came_through_the_edge()
    {
        await using var edge = await EdgeAsync("{ }", $$""" "Clusters": { "web": { "ProofKey": "{{Key}}" } },""");
        using var response = await GetAsync(edge, "/a%20b?c=d", ("Host", "www.example.org"), ("CdnEdge-Proof", "t=1; s=forged"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var proof = Assert.Single(_seen).Headers["CdnEdge-Proof"].ToString().Split("; ");
        Assert.InRange(DateTimeOffset.FromUnixTimeSeconds(long.Parse(proof[0][2..])), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        var expected = HMACSHA256.HashData(Convert.FromBase64String(Key), Encoding.UTF8.GetBytes($"GET\nwww.example.org\n/a%20b?c=d\n{proof[0][2..]}"));
        Assert.Equal($"s={Convert.ToBase64String(expected).TrimEnd('=').Replace('+', '-').Replace('/', '_')}", proof[1]);
    }

    [Fact]
    public async Task Nobody_else_can_claim_to_be_the_edge()
    {
        await using var edge = await EdgeAsync("{ }");
        using var response = await GetAsync(edge, "/", ("CdnEdge-Proof", "t=1; s=forged"));

        Assert.False(Assert.Single(_seen).Headers.ContainsKey("CdnEdge-Proof"));
    }

    [Theory]
    [InlineData("ConnectionsPerAddress")]
    [InlineData("Connections")]
    public async Task There_are_so_many_connections_and_no_more(string limit)
    {
        await using var edge = await EdgeAsync("{ }", $$""" "Limits": { "{{limit}}": 3 },""");
        var address = new Uri(edge.Urls.Single());
        var open = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 3; i++)
                open.Add(await ConnectAsync(address));
            foreach (var client in open)
                Assert.StartsWith("HTTP/1.1 200", await AskAsync(client), StringComparison.Ordinal);

            using (var fourth = await ConnectAsync(address))
                Assert.Equal("", await AskAsync(fourth));

            open[0].Dispose();
            await Deadline.Until(async () =>
            {
                using var next = await ConnectAsync(address);
                return (await AskAsync(next)).StartsWith("HTTP/1.1 200", StringComparison.Ordinal);
            });
        }
        finally
        {
            open.ForEach(static client => client.Dispose());
        }
    }

    [Fact]
    public async Task A_trusted_proxy_may_have_any_number_of_connections()
    {
        await using var edge = await EdgeAsync("{ }", """ "Limits": { "ConnectionsPerAddress": 1 }, "Forwarding": { "TrustedProxies": [ "127.0.0.1" ] },""");
        var address = new Uri(edge.Urls.Single());
        using var one = await ConnectAsync(address);
        using var other = await ConnectAsync(address);

        Assert.StartsWith("HTTP/1.1 200", await AskAsync(one), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(other), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("www.example.org.")]
    [InlineData("WWW.EXAMPLE.ORG:80")]
    public async Task A_site_is_protected_by_whatever_name_it_is_asked_for(string host)
    {
        var sites = $$"""{ "www.example.org": { "Tokens": { "Paths": [ "/video/" ], "Keys": { "one": "{{Key}}" } } } }""";
        using var file = new TemporaryFile(Json(sites));
        await using var edge = await Running.EdgeAsync(Given.Source(file.Path));
        var url = await SignAsync(file, "https://www.example.org/video/a.mp4");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, new Uri(url).PathAndQuery, ("Host", "www.example.org"))).StatusCode);

        using var response = await GetAsync(edge, "/video/a.mp4", ("Host", host));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private static async Task<TcpClient> ConnectAsync(Uri address)
    {
        var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, Stop);
        return client;
    }

    /// <summary>The first piece of an answer; empty: the connection was closed instead.</summary>
    private static async Task<string> AskAsync(TcpClient client)
    {
        var buffer = new byte[1024];
        try
        {
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"u8.ToArray(), Stop);
            return Encoding.Latin1.GetString(buffer, 0, await client.GetStream().ReadAsync(buffer, Stop));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task<string> SignAsync(TemporaryFile file, string url, params string[] more)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await new CommandLine(output, error, new Hashtable()).RunAsync(["sign", url, "--config", file.Path, .. more]);
        Assert.Equal((0, ""), (code, error.ToString()));
        return output.ToString().Trim();
    }

    private async Task<WebApplication> EdgeAsync(string sites, string edge = "")
    {
        using var file = new TemporaryFile(Json(sites, edge));
        return await Running.EdgeAsync(Given.Source(file.Path));
    }

    private string Json(string sites, string edge = "") => $$"""
        {
          "CdnEdge": { "Listen": [ "http://127.0.0.1:0" ], "Admin": { "Listen": "none" }, {{edge}} "Sites": {{sites}} },
          "ReverseProxy": {
            "Routes": { "site": { "ClusterId": "web", "Match": { "Path": "/{**path}" } } },
            "Clusters": { "web": { "Destinations": { "one": { "Address": "{{_origin.Urls.Single()}}" } } } }
          }
        }
        """;

    private static Task<HttpResponseMessage> GetAsync(WebApplication edge, string target, params (string, string)[] fields) => GetAsync(edge, target, HttpMethod.Get, fields);

    private static async Task<HttpResponseMessage> GetAsync(WebApplication edge, string target, HttpMethod method, params (string, string)[] fields)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        using var request = new HttpRequestMessage(method, new Uri(edge.Urls.Single() + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request, Stop);
    }
}

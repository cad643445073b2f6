using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>
/// Cache-poisoned denial of service (Nguyen, Lo Iacono, Federrath: "Your Cache Has Fallen", CCS 2019; cpdos.org): an error that a request's
/// own oddity provoked isn't what others get. The origin here says of every error that it's fresh.
/// </summary>
public sealed class HostileErrorScenarios(HostileErrorScenarios.ManySites edge) : IClassFixture<HostileErrorScenarios.ManySites>
{
    private const string Eager = "Host: eager.example";
    private const string Plain = "Host: plain.example";

    /// <summary>One whose policy keeps whole classes of errors, and one that has none.</summary>
    public sealed class ManySites : Edge
    {
        private protected override IEnumerable<string> Arguments => [];

        private protected override string Configuration => """
            {
              "CdnEdge": {
                "Policies": {
                  "eager": { "StatusTtl": { "4xx": "00:10:00", "5xx": "00:10:00" } },
                  "named": { "StatusTtl": { "403": "00:10:00" } }
                }
              },
              "ReverseProxy": {
                "Routes": {
                  "plain": { "ClusterId": "origin", "Match": { "Hosts": [ "plain.example" ], "Path": "/{**rest}" } },
                  "eager": { "ClusterId": "origin", "Match": { "Hosts": [ "eager.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "eager" } },
                  "named": { "ClusterId": "origin", "Match": { "Hosts": [ "named.example" ], "Path": "/{**rest}" }, "Metadata": { "CdnEdge.CachePolicy": "named" } }
                },
                "Clusters": { "origin": { "Destinations": { "a": { "Address": "ORIGIN" } } } }
              }
            }
            """;
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(406)]
    [InlineData(408)]
    [InlineData(411)]
    [InlineData(412)]
    [InlineData(413)]
    [InlineData(415)]
    [InlineData(416)]
    [InlineData(417)]
    [InlineData(421)]
    [InlineData(422)]
    [InlineData(426)]
    [InlineData(428)]
    [InlineData(429)]
    [InlineData(431)]
    [InlineData(505)]
    public async Task A_status_that_fields_can_provoke_is_not_stored(int status)
    {
        foreach (var host in new[] { Plain, Eager })
        {
            var page = edge.Origin.Serves(origin => origin.Headers["X-Odd"] is null
                ? origin.Fresh("hello")
                : origin.Respond(status, ["Cache-Control: max-age=600"], "error"));

            var attacker = await edge.Get(page, host, "X-Odd: yes");
            var visitor = await edge.Get(page, host);

            Assert.Equal((status, 200, "hello"), (attacker.Status, visitor.Status, visitor.Text));
        }
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(414)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_error_to_a_request_with_oversized_fields_is_not_stored_whatever_it_says(int status)
    {
        foreach (var host in new[] { Plain, Eager })
        {
            var page = edge.Origin.Serves(origin => origin.Headers["X-Large"] is null
                ? origin.Fresh("hello")
                : origin.Respond(status, ["Cache-Control: max-age=600"], "error"));

            var attacker = await edge.Get(page, host, $"X-Large: {new string('x', 4_000)}");
            var visitor = await edge.Get(page, host);

            Assert.Equal((status, 200, "hello"), (attacker.Status, visitor.Status, visitor.Text));
        }
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(503)]
    public async Task An_error_to_an_ordinary_request_is_as_the_origin_says(int status)
    {
        var page = edge.Origin.Serves(origin => origin.Respond(status, ["Cache-Control: max-age=600"], "error"));

        await edge.Get(page, Plain);

        Assert.True((await edge.Get(page, Plain)).IsHit);
    }

    [Fact]
    public async Task A_status_that_the_policy_names_is_stored()
    {
        var page = edge.Origin.Serves(origin => origin.Respond(403, [], "error"));

        await edge.Get(page, "Host: named.example");

        Assert.True((await edge.Get(page, "Host: named.example")).IsHit);
    }

    [Theory]
    [InlineData(8_193)]
    [InlineData(20_000)]
    public async Task A_field_that_is_larger_than_origins_take_is_not_forwarded(int bytes)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        var attacker = await edge.Get(page, Plain, $"X-Oversized: {new string('x', bytes)}");
        var visitor = await edge.Get(page, Plain);

        Assert.Equal((431, 200), (attacker.Status, visitor.Status));
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Nor_are_cookies_but_what_is_stored_is_served_to_who_has_them()
    {
        var cookies = $"Cookie: {string.Join("; ", Enumerable.Range(0, 10).Select(number => $"bomb{number}={new string('x', 2_000)}"))}";
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));
        var other = edge.Origin.Serves(origin => origin.Fresh("hello"));
        await edge.Get(page, Plain);
        await using var client = await edge.Connect();

        var stored = await client.Get(page.Path, Plain, cookies);
        var fetched = await client.Get(other.Path, Plain, cookies);
        var after = await client.Get(other.Path, Plain);

        Assert.Equal((200, 431, 200), (stored.Status, fetched.Status, after.Status));
        Assert.Contains("Cookie", fetched.Text, StringComparison.Ordinal);
        Assert.Single(other.Requests);
    }

    [Theory]
    [InlineData("\u0001")]
    [InlineData("\a")]
    [InlineData("\b")]
    [InlineData("\u001b[31m")]
    [InlineData("\u007f")]
    [InlineData("\v")]
    public async Task A_control_character_is_not_forwarded(string meta)
    {
        var page = edge.Origin.Serves(origin => origin.Fresh("hello"));

        var attacker = await edge.Send($"GET {page.Path} HTTP/1.1\r\n{Plain}\r\nX-Meta: a{meta}b\r\n\r\n");
        var visitor = await edge.Get(page, Plain);

        Assert.Equal((400, 200), (attacker.Status, visitor.Status));
        Assert.Single(page.Requests);
    }

    [Theory]
    [InlineData("X-HTTP-Method-Override", 404)]
    [InlineData("X-HTTP-Method-Override", 405)]
    [InlineData("X-HTTP-Method", 405)]
    [InlineData("X-Method-Override", 501)]
    [InlineData("x_http_method_override", 405)]
    public async Task An_overridden_method_is_not_forwarded_with_a_GET(string field, int status)
    {
        foreach (var host in new[] { Plain, Eager })
        {
            var page = edge.Origin.Serves(origin => origin.Headers[field] is null
                ? origin.Fresh("hello")
                : origin.Respond(status, ["Cache-Control: max-age=600"], "error"));

            var attacker = await edge.Get(page, host, $"{field}: POST");
            var visitor = await edge.Get(page, host);

            Assert.Equal((200, 200, "hello"), (attacker.Status, visitor.Status, visitor.Text));
        }
    }

    [Theory]
    [InlineData("Connection: close, X-Needed", "X-Needed: yes")]
    [InlineData("Range: bytes=x-", "X-Needed: yes")]
    [InlineData("If-Match: \"nothing\"", "X-Needed: yes")]
    [InlineData("Expect: nonsense", "X-Needed: yes")]
    public async Task Nor_does_what_concerns_one_connection_or_condition_reach_others(string odd, string other)
    {
        var page = edge.Origin.Serves(origin => origin.Headers["Range"] is null && origin.Headers["If-Match"] is null
            ? origin.Fresh("hello")
            : origin.Respond(416, ["Cache-Control: max-age=600"], "error"));

        await edge.Get(page, Plain, odd, other);
        var visitor = await edge.Get(page, Plain);

        Assert.Equal((200, "hello"), (visitor.Status, visitor.Text));
    }
}

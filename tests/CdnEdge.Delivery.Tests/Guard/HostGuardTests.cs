using CdnEdge.Delivery.Tests.Scene;
using CdnEdge.Upstream.Tests.Scene;

namespace CdnEdge.Delivery.Tests.Guard;

public class HostGuardTests
{
    /// <summary>ASP.NET Core throws when it's asked for such a Host: a 500 and an error in the log, for anybody who likes to.</summary>
    [Fact]
    public async Task A_host_in_what_is_no_punycode_is_a_bad_request_and_no_error()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var site = await CachedSite.StartAsync(origin);
        await using var client = await site.ConnectAsync();

        await client.SendAsync($"GET / HTTP/1.1\r\nHost: xn--{new string('a', 61)}\r\n\r\n");
        var answer = await client.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("The request's Host is none.", answer, StringComparison.Ordinal);
        Assert.Empty(origin.Requests);
        Assert.Empty(site.Logged);
    }
}

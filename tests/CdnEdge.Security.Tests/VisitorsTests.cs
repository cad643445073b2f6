using System.Net;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security.Tests;

/// <summary>Who a request comes from, by what the proxies in front say.</summary>
public sealed class VisitorsTests
{
    [Theory]
    [InlineData("192.0.2.1", "203.0.113.9", "192.0.2.1")] // nobody's proxy: its word is nothing
    [InlineData("10.0.0.1", null, "10.0.0.1")]
    [InlineData("10.0.0.1", "203.0.113.9", "203.0.113.9")]
    [InlineData("10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9")] // what stands before the client, the client wrote
    [InlineData("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9")]
    [InlineData("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3")]
    [InlineData("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1")]
    [InlineData("10.0.0.1", "203.0.113.9:1234", "203.0.113.9")]
    [InlineData("10.0.0.1", "2001:db8::1", "2001:db8::1")]
    [InlineData("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9")]
    public void The_client_is_the_last_that_is_no_proxy(string peer, string? forwarded, string client)
    {
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(peer) } };
        if (forwarded is not null)
            context.Request.Headers["X-Forwarded-For"] = forwarded;

        Assert.Equal(IPAddress.Parse(client), new Visitors(new AddressList(["10.0.0.0/8"])).AddressOf(context));
    }
}

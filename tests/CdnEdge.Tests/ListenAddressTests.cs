using CdnEdge.Configuration;
using CdnEdge.Delivery.Guard;
using CdnEdge.Hosting;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Tests;

public class ListenAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8080", "127.0.0.1", 8080)]
    [InlineData("http://127.0.0.1", "127.0.0.1", 80)]
    [InlineData("HTTP://LOCALHOST:81", "localhost", 81)]
    [InlineData("http://[::1]:81", "::1", 81)]
    [InlineData("http://*:81", "*", 81)]
    [InlineData("http://+:81", "*", 81)]
    [InlineData("http://0.0.0.0:81", "*", 81)]
    [InlineData("http://[::]:81", "*", 81)]
    [InlineData("http://127.0.0.1:0", "127.0.0.1", 0)]
    public void An_address_is_read(string text, string host, int port)
    {
        Assert.True(ListenAddress.TryParse(text, out var address, out _));
        Assert.Equal((host, port), (address.Host, address.Port));
    }

    [Fact]
    public void Https_is_read()
    {
        Assert.True(ListenAddress.TryParse("https://127.0.0.1:8081", out var address, out _));
        Assert.True(address.IsTls);
        Assert.True(ListenAddress.TryParse("http://127.0.0.1:8081", out address, out _));
        Assert.False(address.IsTls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData("127.0.0.1:8080")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://example.org:80")]
    [InlineData("http://127.0.0.1:80/path")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("http://unix:/run/x.sock")]
    [InlineData("http://localhost:0")]
    public void Anything_else_is_refused(string text)
    {
        Assert.False(ListenAddress.TryParse(text, out _, out var mistake));
        Assert.StartsWith($"'{text}' ", mistake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0", null)]
    [InlineData("10.0.12+abc", null)]
    [InlineData("11.0.0-preview.1.25", null)]
    [InlineData("10.0.0-rc.2.25502.107+x", null)]
    [InlineData("10.0.0-rtm.25523.111", null)]
    [InlineData("10.0.0-rc.1.25451.107+x", "10.0.0-rc.1.25451.107")]
    [InlineData("10.0.0-preview.7.25380.108", "10.0.0-preview.7")]
    [InlineData("9.0.9", "9.0.9")]
    [InlineData(null, "(unknown version)")]
    public void A_runtime_with_the_chunk_extension_hole_is_refused(string? version, string? named)
    {
        var refusal = RuntimeVersionCheck.Refusal(version);

        if (named is null)
            Assert.Null(refusal);
        else
            Assert.Contains(named, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void This_runtime_is_not_refused() => Assert.Null(RuntimeVersionCheck.Refusal());

    [Theory]
    [InlineData(null, "anything", true)]
    [InlineData("example.org", "EXAMPLE.org", true)]
    [InlineData("example.org", "example.org:8080", true)]
    [InlineData("example.org:8080", "example.org:8080", true)]
    [InlineData("example.org:8080", "example.org", false)]
    [InlineData("example.org", "www.example.org", false)]
    [InlineData("*.example.org", "www.example.org", true)]
    [InlineData("*.example.org", "example.org", false)]
    [InlineData("*.example.org", "badexample.org", false)]
    [InlineData("*:81", "x:81", true)]
    public void A_host_belongs_to_a_route_or_not(string? pattern, string host, bool served) =>
        Assert.Equal(served, UnknownSite.ServesHost(pattern is null ? null : [pattern], new HostString(host)));
}

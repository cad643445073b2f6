using CdnEdge.Delivery.Guard;

namespace CdnEdge.Delivery.Tests.Guard;

public class DotSegmentsTests
{
    [Theory]
    [InlineData("/a/..%2fb")]
    [InlineData("/a/..%2Fb")]
    [InlineData("/a/%2f..")]
    [InlineData("/a/%2f../b")]
    [InlineData("/a/b%2f..%2f..%2fc")]
    [InlineData("/a/b%2f..%2f../c")]
    [InlineData("/a/%2e.%2fb")]
    [InlineData("/a/..%5cb")]
    [InlineData("/a/%5C%2E%2e")]
    [InlineData("/a/.%2f..")]
    [InlineData("/a/..;/b")]
    [InlineData("/a/..;x=y/b")]
    [InlineData("/a/..%3bx/b")]
    [InlineData("/a/%2e%2e;/b")]
    [InlineData("/a/b%2f..;x%2f../c")]
    public void A_segment_climbs_that_not_everybody_sees(string path) => Assert.True(DotSegments.ClimbUnseenIn(path));

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("/a/../b")] // everybody does, and the server has taken it out
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/.")]
    [InlineData("/a/.;x/b")] // leads nowhere
    [InlineData("/a/.%2fb")]
    [InlineData("/a%2fb")]
    [InlineData("/a%2f../b")] // no higher than its own segment
    [InlineData("/a/b%2fc%2f..%2f..")]
    [InlineData("/a..%2fb")]
    [InlineData("/a%2f..b")]
    [InlineData("/a%2f...%2fb")]
    [InlineData("/a/..%252fb")] // a percent sign that is encoded encodes nothing
    [InlineData("/a;b/..c;d")]
    public void Nothing_climbs_but_what_everybody_sees(string path) => Assert.False(DotSegments.ClimbUnseenIn(path));
}

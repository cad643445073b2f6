using CdnEdge.Delivery.Guard;

namespace CdnEdge.Delivery.Tests.Guard;

public class DotSegmentsTests
{
    [Theory]
    [InlineData("/a/..%2fb")]
    [InlineData("/a/..%2Fb")]
    [InlineData("/a%2f..")]
    [InlineData("/a%2f../b")]
    [InlineData("/a/%2e.%2fb")]
    [InlineData("/a/..%5cb")]
    [InlineData("/a%5C%2E%2e")]
    [InlineData("/a\\..")]
    [InlineData("/a/..;/b")]
    [InlineData("/a/..;x=y/b")]
    [InlineData("/a/..%3bx/b")]
    [InlineData("/a/.;")]
    [InlineData("/.%2f")]
    [InlineData("%2f..")]
    public void Some_readers_see_one(string path) => Assert.True(DotSegments.AreHiddenIn(path));

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("/a/../b")] // everybody does, and the server has taken it out
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/.")]
    [InlineData("/a%2fb")]
    [InlineData("/a..%2fb")]
    [InlineData("/a%2f..b")]
    [InlineData("/a%2f...%2fb")]
    [InlineData("/a/..%252fb")] // a percent sign that is encoded encodes nothing
    [InlineData("/a;b/..c;d")]
    [InlineData("/a%2f;../b")]
    public void Nobody_sees_one_that_others_do_not(string path) => Assert.False(DotSegments.AreHiddenIn(path));
}

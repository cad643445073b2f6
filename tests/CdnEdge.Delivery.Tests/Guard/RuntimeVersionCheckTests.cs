using CdnEdge.Delivery.Guard;

namespace CdnEdge.Delivery.Tests.Guard;

public class RuntimeVersionCheckTests
{
    [Theory]
    [InlineData("10.0.12+95017c711e", true)]
    [InlineData("10.0.0", true)]
    [InlineData("10.0.0-rtm.25523.111+abc", true)]
    [InlineData("10.0.0-rc.2.25502.107", true)]
    [InlineData("10.0.0-rc.1.25451.107+abc", false)]
    [InlineData("10.0.0-preview.7.25380.108", false)]
    [InlineData("9.0.10", true)]
    [InlineData("9.0.9+abc", false)]
    [InlineData("8.0.21-servicing.25475.6+abc", true)]
    [InlineData("8.0.20", false)]
    [InlineData("6.0.36", false)]
    [InlineData("11.0.0-preview.1", true)]
    [InlineData("nonsense", false)]
    [InlineData(null, false)]
    public void Only_a_mended_runtime_may_serve(string? version, bool mended) =>
        Assert.Equal(mended, RuntimeVersionCheck.Refusal(version) is null);

    [Fact]
    public void A_refusal_names_the_version_and_the_way_out()
    {
        var refusal = RuntimeVersionCheck.Refusal("9.0.1");
        Assert.Contains("9.0.1 ", refusal);
        Assert.Contains("9.0.10", refusal);
    }

    [Fact]
    public void This_runtime_may_serve() => Assert.Null(RuntimeVersionCheck.Refusal());
}

using CdnEdge.Upstream.Peers;

namespace CdnEdge.Upstream.Tests.Peers;

public class PeeringOptionsTests
{
    [Fact]
    public void As_it_comes_there_is_no_mistake() => Assert.Empty(Errors(new PeeringOptions()));

    [Fact]
    public void With_all_that_is_needed_there_is_none_either() =>
        Assert.Empty(Errors(new PeeringOptions { Id = "a.B-1_", Key = PeerNodes.NewKey(), PreviousKey = PeerNodes.NewKey(), MaxClockSkew = TimeSpan.FromMinutes(5), MaxHops = 4 }));

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("\u00fc")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void An_id_is_a_name(string id) =>
        Assert.StartsWith("CdnEdge:Peering:Id: '" + id + "' is not valid; expected 1 to 64 letters", Only(new PeeringOptions { Id = id }), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("s3cret")]
    [InlineData("AAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void A_key_is_32_bytes_and_is_never_repeated(string key)
    {
        var mistake = Only(new PeeringOptions { Id = "a", Key = key });
        Assert.Equal("CdnEdge:Peering:Key: '(not shown)' is not valid; expected 32 bytes in base64, as 'openssl rand -base64 32' makes them.", mistake);
        Assert.StartsWith("CdnEdge:Peering:PreviousKey: '(not shown)'", Only(new PeeringOptions { Id = "a", Key = PeerNodes.Key, PreviousKey = key }), StringComparison.Ordinal);
    }

    [Fact]
    public void The_key_before_needs_one_after_it() =>
        Assert.StartsWith("CdnEdge:Peering:Key: ", Only(new PeeringOptions { PreviousKey = PeerNodes.Key }), StringComparison.Ordinal);

    [Theory]
    [InlineData(0.9)]
    [InlineData(300.1)]
    public void Clocks_may_be_a_second_to_five_minutes_apart(double seconds) =>
        Assert.StartsWith("CdnEdge:Peering:MaxClockSkew: ", Only(new PeeringOptions { MaxClockSkew = TimeSpan.FromSeconds(seconds) }), StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void One_to_four_nodes_ask_each_other(int hops) =>
        Assert.StartsWith("CdnEdge:Peering:MaxHops: ", Only(new PeeringOptions { MaxHops = hops }), StringComparison.Ordinal);

    private static IReadOnlyList<string> Errors(PeeringOptions options) => PeeringOptionsValidation.Errors("CdnEdge:Peering", options);

    private static string Only(PeeringOptions options) => Assert.Single(Errors(options));
}

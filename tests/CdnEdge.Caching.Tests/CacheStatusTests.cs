using CsCheck;

namespace CdnEdge.Caching.Tests;

public class CacheStatusTests
{
    [Fact]
    public void Parameters_come_in_the_order_of_the_rfc() =>
        Assert.Equal(
            "CdnEdge; hit; fwd=stale; fwd-status=304; ttl=-5; stored; collapsed; detail=REASON",
            new CacheStatus
            {
                Hit = true,
                Forward = ForwardReason.Stale,
                ForwardStatus = 304,
                Ttl = -5,
                Stored = true,
                Collapsed = true,
                Detail = "REASON",
            }.Format("CdnEdge"));

    [Theory]
    [InlineData(ForwardReason.Bypass, "bypass")]
    [InlineData(ForwardReason.Method, "method")]
    [InlineData(ForwardReason.UriMiss, "uri-miss")]
    [InlineData(ForwardReason.VaryMiss, "vary-miss")]
    [InlineData(ForwardReason.Miss, "miss")]
    [InlineData(ForwardReason.Request, "request")]
    [InlineData(ForwardReason.Stale, "stale")]
    [InlineData(ForwardReason.Partial, "partial")]
    public void Reasons_are_the_words_of_the_rfc(object reason, string word) =>
        Assert.Equal($"edge; fwd={word}", new CacheStatus { Forward = (ForwardReason)reason }.Format("edge"));

    [Fact]
    public void Names_and_details_that_are_no_tokens_are_strings() =>
        Assert.Equal("\"my edge\"; stored=?0; detail=\"say \\\"no\\\"\"",
            new CacheStatus { Stored = false, Detail = "say \"no\"" }.Format("my edge"));

    [Theory]
    [InlineData(30L, "CdnEdge; hit; ttl=30")]
    [InlineData(-3L, "CdnEdge; hit; ttl=-3")]
    [InlineData(4126L, "CdnEdge; hit; ttl=4126")]
    public void A_plain_hit_says_how_long_it_is_fresh(long ttl, string expected) =>
        Assert.Equal(expected, new CacheStatus { Hit = true, Ttl = ttl }.Format("CdnEdge"));

    [Fact]
    public void Plain_hits_never_get_each_others_text() =>
        Gen.Select(Gen.Long, Gen.OneOfConst("a", "b", "c d")).Sample((ttl, cache) =>
            Assert.Equal($"{(cache == "c d" ? "\"c d\"" : cache)}; hit; ttl={ttl}", new CacheStatus { Hit = true, Ttl = ttl }.Format(cache)));

    [Fact]
    public void Hits_with_one_ttl_share_a_string()
    {
        var status = new CacheStatus { Hit = true, Ttl = 1234 };
        Assert.Same(status.Format("shared"), status.Format("shared"));
    }
}

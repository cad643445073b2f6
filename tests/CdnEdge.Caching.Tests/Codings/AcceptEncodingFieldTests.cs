using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching.Tests.Codings;

/// <summary>Which coding a client gets, by RFC 9110 §12.5.3.</summary>
public class AcceptEncodingFieldTests
{
    private static readonly string[] Offered = ["br", "zstd", "gzip"];

    [Theory]
    [InlineData("gzip, deflate, br, zstd", "br")] // browsers of today
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("gzip, deflate", "gzip")]
    [InlineData("deflate, gzip;q=1.0, *;q=0.5", "gzip")]
    [InlineData("gzip;q=0.9, br;q=0.8", "gzip")]
    [InlineData("br;q=0.8, zstd;q=0.801", "zstd")]
    [InlineData("GZip", "gzip")]
    [InlineData("x-gzip", "gzip")]
    [InlineData("*", "br")]
    [InlineData("br;q=0, *", "zstd")]
    [InlineData("br;q=0, *;q=0.1", "zstd")]
    [InlineData("*;q=0, gzip", "gzip")]
    [InlineData("identity;q=0, gzip;q=0.1", "gzip")]
    [InlineData("identity, gzip", "gzip")] // equally welcome: the smaller
    [InlineData("identity;q=0.5, gzip;q=0.4", "identity")]
    [InlineData("gzip;q=0.5, *", "br")]
    [InlineData("identity", "identity")]
    [InlineData("deflate", "identity")]
    [InlineData("gzip;q=0", "identity")]
    [InlineData("*;q=0", "identity")] // nothing is acceptable; an answer is better than none
    [InlineData("identity;q=0, deflate", "identity")]
    [InlineData("", "identity")]
    [InlineData("gzip;q=2", "identity")] // malformed
    [InlineData("br gzip", "identity")]
    [InlineData("gzip, gzip;q=0", "identity")]
    public void The_one_that_is_liked_best_and_of_equals_the_first(string field, string expected)
    {
        Assert.Equal(expected, Choose(field, stored: null));
    }

    [Fact]
    public void Without_the_field_it_is_sent_as_it_is()
    {
        Assert.Equal("identity", Choose(StringValues.Empty, stored: null));
    }

    [Fact]
    public void Lines_are_one_list()
    {
        Assert.Equal("br", Choose(new StringValues(["gzip;q=0.5", "br"]), stored: null));
    }

    [Theory]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, br;q=0.9", "gzip")]
    [InlineData("br", "br")]
    [InlineData("*", "br")]
    [InlineData("identity", "gzip")] // as it's stored: there's nothing else
    public void What_is_stored_in_a_coding_is_sent_in_it_unless_a_better_one_is_liked_as_well(string field, string expected)
    {
        Assert.Equal(expected, Choose(field, stored: "gzip"));
    }

    private static string Choose(StringValues field, string? stored)
    {
        var chosen = AcceptEncodingField.Choose(field, Offered, stored);
        return chosen == AcceptEncodingField.AsStored ? stored ?? "identity" : Offered[chosen];
    }
}

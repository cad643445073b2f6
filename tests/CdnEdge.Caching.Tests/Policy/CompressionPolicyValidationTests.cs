namespace CdnEdge.Caching.Tests.Policy;

public class CompressionPolicyValidationTests
{
    private const string Path = "CdnEdge:Policies:p";

    [Fact]
    public void The_defaults_are_valid()
    {
        Assert.Empty(CachePolicyValidation.Errors(Path, new CachePolicy()));
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("*")]
    [InlineData("x-gzip")]
    [InlineData("g zip")]
    [InlineData("")]
    public void A_coding_is_one_that_is_sent(string coding)
    {
        Expect("Encodings:1", coding, new CompressionPolicy { Encodings = ["br", coding] });
    }

    [Fact]
    public void There_is_at_least_one_coding_each_once_and_not_too_many()
    {
        Expect("Encodings", "Enabled: false", new CompressionPolicy { Encodings = [] });
        Expect("Encodings", "once", new CompressionPolicy { Encodings = ["gzip", "GZIP"] });
        Expect("Encodings", "at most 8", new CompressionPolicy { Encodings = [.. Enumerable.Range(0, 9).Select(i => $"c{i}")] });
        Expect("Encodings", "null", new CompressionPolicy { Encodings = null! });
    }

    [Theory]
    [InlineData("text")]
    [InlineData("text/")]
    [InlineData("/css")]
    [InlineData("*/*")]
    [InlineData("*/css")]
    [InlineData("*")]
    [InlineData("*+")]
    [InlineData("text/c*")]
    [InlineData("text/css; charset=utf-8")]
    public void A_type_has_one_of_three_forms(string type)
    {
        Expect("Types:0", type, new CompressionPolicy { Types = [type] });
    }

    [Fact]
    public void The_bounds_are_bounded_and_in_order()
    {
        Expect("MinBytes", "at least 1", new CompressionPolicy { MinBytes = 0 });
        Expect("MaxBytes", "64 MiB", new CompressionPolicy { MaxBytes = (64 << 20) + 1 });
        Expect("MaxBytes", "'0'", new CompressionPolicy { MaxBytes = 0 });
        Expect("MinBytes", "at most MaxBytes (10)", new CompressionPolicy { MinBytes = 11, MaxBytes = 10 });
    }

    private static void Expect(string key, string text, CompressionPolicy compression)
    {
        var error = Assert.Single(CachePolicyValidation.Errors(Path, new CachePolicy { Compression = compression }));

        Assert.StartsWith($"{Path}:Compression:{key}: ", error, StringComparison.Ordinal);
        Assert.Contains(text, error, StringComparison.Ordinal);
    }
}

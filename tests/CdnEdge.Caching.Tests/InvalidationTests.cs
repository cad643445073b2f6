using CsCheck;

namespace CdnEdge.Caching.Tests;

public class InvalidationTests
{
    [Theory]
    [InlineData("POST", 200, true)]
    [InlineData("PUT", 201, true)]
    [InlineData("DELETE", 204, true)]
    [InlineData("M-SEARCH", 200, true)]
    [InlineData("POST", 303, true)]
    [InlineData("POST", 399, true)]
    [InlineData("POST", 400, false)]
    [InlineData("POST", 500, false)]
    [InlineData("POST", 103, false)]
    [InlineData("GET", 200, false)]
    [InlineData("HEAD", 200, false)]
    [InlineData("OPTIONS", 200, false)]
    [InlineData("QUERY", 200, false)]
    [InlineData("get", 200, true)]
    public void Is_due_when_an_unsafe_method_succeeds(string method, int status, bool expected) =>
        Assert.Equal(expected, Invalidation.IsDue(method, status));

    [Theory]
    [InlineData("/x?y", "http://example.org/x?y")]
    [InlineData("x", "http://example.org/a/x")]
    [InlineData("http://EXAMPLE.org:80/x#frag", "http://example.org/x")]
    [InlineData("//example.org/x", "http://example.org/x")]
    [InlineData("", null)]
    [InlineData("https://example.org/x", null)]
    [InlineData("http://example.org:8080/x", null)]
    [InlineData("http://other.example.org/x", null)]
    [InlineData("//other/x", null)]
    [InlineData("http://[", null)]
    [InlineData("http://example.org/a/b?c", null)]
    public void Names_the_target_and_locations_of_the_same_origin(string reference, string? second)
    {
        string?[] expected = second is null ? ["http://example.org/a/b?c"] : ["http://example.org/a/b?c", second];
        foreach (var field in new[] { "Location", "Content-Location" })
        {
            var targets = Invalidation.Targets(new Uri("http://example.org/a/b?c#d"), Given.Headers(field + ": " + reference));
            Assert.Equal(expected, targets.Select(uri => uri.AbsoluteUri));
        }
    }

    [Fact]
    public void No_text_makes_it_throw() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["htp:/.[]@#?%exampl org0"], 0, 40]).Sample(reference =>
            Invalidation.Targets(new Uri("http://example.org/"), Given.Headers("Location:" + reference))
                .All(uri => uri.Host == "example.org"));
}

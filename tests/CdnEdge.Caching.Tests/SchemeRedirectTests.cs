using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests;

public class SchemeRedirectTests
{
    [Theory]
    [InlineData("http://a.example/x?y", 301, "https://a.example/x?y", true)]
    [InlineData("http://a.example/x?y", 308, "https://A.example:443/x?y", true)]
    [InlineData("https://a.example/x", 302, "http://a.example/x", true)]
    [InlineData("http://a.example:8080/", 301, "https://a.example/", true)]
    [InlineData("http://a.example/x", 301, "https://a.example/y", false)]
    [InlineData("http://a.example/x", 301, "https://www.a.example/x", false)]
    [InlineData("http://a.example/x", 301, "/x", false)]
    [InlineData("http://a.example/x", 301, "http://a.example/x", false)]
    [InlineData("http://a.example/x", 201, "https://a.example/x", false)]
    [InlineData("http://a.example/x", 301, "https://", false)]
    public void Is_one_of_the_same_URL(string target, int status, string location, bool expected) =>
        Assert.Equal(expected, SchemeRedirect.Is(new Uri(target), status, new HeaderDictionary { ["Location"] = location }));
}

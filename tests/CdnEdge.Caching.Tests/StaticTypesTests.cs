using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests;

public class StaticTypesTests
{
    [Theory]
    [InlineData("/a.css", "text/css", true)]
    [InlineData("/a.CSS", "TEXT/CSS; charset=utf-8", true)]
    [InlineData("/a.css", "text/html", false)]
    [InlineData("/a.css", "text/cssx", false)]
    [InlineData("/a.css", "", false)]
    [InlineData("/a/b;c.css", "text/html", false)]
    [InlineData("/a\n.css", "text/html", false)]
    [InlineData("/a?.css", "text/html", false)]
    [InlineData("/a.png", "image/anything", true)]
    [InlineData("/a.png", "application/octet-stream", true)]
    [InlineData("/a.zip", "application/x-zip-compressed", true)]
    [InlineData("/a.zip", "application/problem+json", false)]
    [InlineData("/a.zip", "application/xhtml+xml", false)]
    [InlineData("/a.zip", "text/html", false)]
    [InlineData("/a.mp4", "video/mp4", true)]
    [InlineData("/a.mp4", "audio/mp4", false)]
    [InlineData("/a", "text/html", true)]
    [InlineData("/a.css/b", "text/html", true)]
    [InlineData("/a.html", "application/json", true)]
    [InlineData("", "text/html", true)]
    public void A_static_extension_goes_with_its_types_only(string path, string type, bool agree) =>
        Assert.Equal(agree, StaticTypes.Agree(path.Length == 0 ? default : new PathString(path), 200, Headers(type)));

    [Theory]
    [InlineData(301)]
    [InlineData(404)]
    [InlineData(503)]
    public void Errors_and_redirects_have_types_of_their_own(int status) =>
        Assert.True(StaticTypes.Agree("/a.css", status, Headers("text/html")));

    private static HeaderDictionary Headers(string type)
    {
        var headers = new HeaderDictionary();
        if (type.Length > 0)
            headers["Content-Type"] = type;
        return headers;
    }
}

using CsCheck;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests.Keys;

public class EscapedPathTests
{
    private static readonly CachePolicy Policy = new();

    [Theory]
    [InlineData("/a%2Fb", "/a%2Fb", "/a%2Fb")]
    [InlineData("/a%2fb?q=%2f", "/a%2fb", "/a%2Fb")]
    [InlineData("/a%252Fb", "/a%2Fb", "/a%252Fb")]
    [InlineData("/100%25", "/100%", "/100%25")]
    [InlineData("/%ff/%41%3b", "/%ff/A;", "/%FF/A;")]
    [InlineData("/a%2Fb/ä", "/a%2Fb/ä", null)] // no target of HTTP
    [InlineData("/a%2Fb/%C3%A4%20c", "/a%2Fb/ä c", "/a%2Fb/%C3%A4%20c")]
    [InlineData("/a%2Fb/../c%2Fd/./e", "/c%2Fd/e", "/c%2Fd/e")]
    [InlineData("/a%2Fb/c/%2e%2E", "/a%2Fb/", "/a%2Fb/")]
    [InlineData("/../a%2Fb/.", "/a%2Fb/", "/a%2Fb/")]
    [InlineData("//a%2Fb//", "//a%2Fb//", "//a%2Fb//")]
    [InlineData("http://h:80/a%2Fb", "/a%2Fb", "/a%2Fb")]
    [InlineData("/a\"%2Fb|", "/a\"%2Fb|", "/a%22%2Fb%7C")]
    [InlineData("/a%20b", "/a b", null)] // decoding says it all
    [InlineData("/a%2Fb", "/rewritten/a%2Fb", null)]
    [InlineData("*", "", null)]
    public void A_path_that_decoding_makes_ambiguous_is_spelt_in_one_way(string target, string decoded, string? expected) =>
        Assert.Equal(expected, EscapedPath.Of(target, new PathString(decoded.Length == 0 ? null : decoded)));

    [Fact]
    public void Two_paths_have_one_key_only_if_they_are_one()
    {
        var pieces = Gen.OneOfConst("/", "/", "a", ".", "%2F", "%2f", "%25", "%252F", "%41", "2F", "%FF", "%C3%A4", "..");
        Gen.Select(pieces.Array[0, 6], pieces.Array[0, 6]).Sample((x, y) =>
        {
            var (one, other) = ("/" + string.Concat(x), "/" + string.Concat(y));
            Assert.Equal(Octets(one) == Octets(other), Key(one).Equals(Key(other)));
        });
    }

    [Fact]
    public void What_is_named_by_uri_has_the_key_of_its_requests()
    {
        foreach (var target in new[] { "/a%2Fb", "/a%252Fb", "/100%25", "/%FF" })
            Assert.Equal(Key(target), CacheKey.Of(Policy, new Uri("http://h" + target)));
    }

    private static CacheKey Key(string target)
    {
        var decoded = RemoveDotSegments(PathString.FromUriComponent(target).Value!);
        var path = new PathString(EscapedPath.Of(target, new PathString(decoded)) ?? decoded);
        var key = KeyComposer.Compose(Policy, new HostString("h"), default, path, default, stackalloc byte[64]);
        var permanent = key.ToKey();
        key.Dispose();
        return permanent;
    }

    /// <summary>What an origin makes of a target: segments, each its octets.</summary>
    private static string Octets(string target) =>
        string.Join('/', RemoveDotSegments(target).Split('/').Select(static segment => Convert.ToHexString(System.Net.WebUtility.UrlDecodeToBytes(
            System.Text.Encoding.UTF8.GetBytes(segment), 0, System.Text.Encoding.UTF8.GetByteCount(segment))!)));

    /// <summary>RFC 3986 §5.2.4, as Kestrel does it.</summary>
    private static string RemoveDotSegments(string path)
    {
        var result = new List<string>();
        var segments = path.Split('/')[1..];
        for (var i = 0; i < segments.Length; i++)
        {
            if (segments[i] is not ("." or ".."))
            {
                result.Add(segments[i]);
                continue;
            }

            if (segments[i] == ".." && result.Count > 0) result.RemoveAt(result.Count - 1);
            if (i == segments.Length - 1) result.Add("");
        }

        return "/" + string.Join('/', result);
    }
}

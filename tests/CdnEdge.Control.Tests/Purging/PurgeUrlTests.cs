using CsCheck;

namespace CdnEdge.Control.Tests.Purging;

public class PurgeUrlTests
{
    [Theory]
    [InlineData("http://Example.ORG", "http://example.org/")]
    [InlineData("http://example.org?x", "http://example.org/?x")]
    [InlineData("HTTPS://example.org:443/a", "https://example.org/a")]
    [InlineData("http://example.org:8080/A%41%2f?b=%41", "http://example.org:8080/A%41%2f?b=%41")]
    [InlineData("http://example.org/\u00e9?q=\u00e9", "http://example.org/%C3%A9?q=%C3%A9")]
    [InlineData("http://b\u00fccher.example/", "http://xn--bcher-kva.example/")]
    [InlineData("http://[::1]:81/a", "http://[::1]:81/a")]
    public void Is_spelt_as_a_request_has_it(string text, string expected)
    {
        Assert.True(PurgeUrl.TryRead(text, out var url, out var mistake), mistake);
        Assert.Equal(expected, url.OriginalString);
    }

    [Theory]
    [InlineData("example.org", "example.org")]
    [InlineData("EXAMPLE.org:8080", "example.org:8080")]
    public void A_host_is_read(string text, string expected)
    {
        Assert.True(PurgeUrl.TryReadHost(text, out var host, out var mistake), mistake);
        Assert.Equal(expected, host);
    }

    [Fact]
    public void Anything_is_either_read_or_refused_with_a_reason()
    {
        Gen.OneOf(Gen.String, Gen.String.Select(static text => "http://example.org" + text), Gen.String.Select(static text => "http://" + text))
            .Sample(static text => PurgeUrl.TryRead(text, out var url, out var mistake)
                ? url.IsAbsoluteUri && mistake is null && PurgeUrl.TryRead(url.OriginalString, out var again, out _) && again.OriginalString == url.OriginalString
                : !string.IsNullOrEmpty(mistake));
    }
}

using System.IO.Compression;
using System.Text;

namespace CdnEdge.Control.Tests.Warming;

public class SitemapTests
{
    [Fact]
    public void Pages_are_read_and_what_extensions_name_is_not()
    {
        const string xml = """
            <?xml version="1.0" encoding="UTF-8"?>
            <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
              <!-- a comment -->
              <url><loc> https://example.org/a?x=1&amp;y=2 </loc><lastmod>2026-01-01</lastmod></url>
              <url><image:image><image:loc>https://example.org/i.png</image:loc></image:image><loc>https://example.org/b</loc></url>
              <url><loc>https://example.org/c</loc><loc>https://example.org/d</loc></url>
            </urlset>
            """;

        Assert.Equal(["https://example.org/a?x=1&y=2", "https://example.org/b", "https://example.org/c", "https://example.org/d"], Read(xml, out var isIndex));
        Assert.False(isIndex);
    }

    [Fact]
    public void An_index_is_one_and_gzip_is_unpacked()
    {
        const string xml = "<sitemapindex><sitemap><loc>https://example.org/1.xml</loc></sitemap></sitemapindex>";
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(xml));
        packed.Position = 0;

        Assert.Equal(["https://example.org/1.xml"], Sitemap.Read(packed, out var isIndex));
        Assert.True(isIndex);
    }

    [Theory]
    [InlineData("", "not a sitemap")]
    [InlineData("<html></html>", "its root is <html>")]
    [InlineData("<urlset><url>", "not a sitemap")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaa\">]><urlset><url><loc>&a;</loc></url></urlset>", "not a sitemap")]
    public void Anything_else_is_said_to_be_none(string xml, string mistake) =>
        Assert.StartsWith(mistake, Assert.Throws<InvalidDataException>(() => Read(xml, out _)).Message, StringComparison.Ordinal);

    [Fact]
    public void Too_many_and_too_large_are_refused()
    {
        var many = $"<sitemapindex>{string.Concat(Enumerable.Repeat("<sitemap><loc>https://example.org/</loc></sitemap>", Sitemap.MaxSitemaps + 1))}</sitemapindex>";
        Assert.StartsWith("lists more than 1000", Assert.Throws<InvalidDataException>(() => Read(many, out _)).Message, StringComparison.Ordinal);

        using var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            var blanks = new byte[1024 * 1024];
            for (var i = 0; i <= Sitemap.MaxBytes / blanks.Length; i++)
                gzip.Write(blanks);
        }

        bomb.Position = 0;
        Assert.StartsWith("larger than", Assert.Throws<InvalidDataException>(() => Sitemap.Read(bomb, out _)).Message, StringComparison.Ordinal);
    }

    private static List<string> Read(string xml, out bool isIndex)
    {
        using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(xml));
        return Sitemap.Read(bytes, out isIndex);
    }
}

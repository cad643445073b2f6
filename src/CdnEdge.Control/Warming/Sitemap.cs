using System.IO.Compression;
using System.Xml;

namespace CdnEdge.Control;

/// <summary>Sitemaps (sitemaps.org, protocol 0.9): lists of URLs, or indexes of such lists, in XML, plain or gzipped.</summary>
internal static class Sitemap
{
    /// <summary>Most URLs that are taken, of all sitemaps together: what the protocol allows in one.</summary>
    internal const int MaxUrls = 50_000;

    /// <summary>Most sitemaps that an index may name.</summary>
    internal const int MaxSitemaps = 1000;

    /// <summary>Largest sitemap in bytes, before and after unpacking: the protocol's own limit.</summary>
    internal const int MaxBytes = 50 * 1024 * 1024;

    /// <summary>What a sitemap lists.</summary>
    /// <param name="bytes">As it came, gzipped or not.</param>
    /// <param name="isIndex">It lists sitemaps, not pages.</param>
    /// <exception cref="InvalidDataException">It's none; the message says why.</exception>
    internal static List<string> Read(Stream bytes, out bool isIndex)
    {
        using var unpacked = Unpack(bytes);
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxBytes, IgnoreComments = true };
        try
        {
            using var xml = XmlReader.Create(unpacked, settings);
            xml.MoveToContent();
            isIndex = xml.LocalName == "sitemapindex";
            if (!isIndex && xml.LocalName != "urlset")
                throw new InvalidDataException($"its root is <{xml.LocalName}>, not <urlset> or <sitemapindex>");
            return ReadLocations(xml, isIndex ? "sitemap" : "url", isIndex ? MaxSitemaps : MaxUrls);
        }
        catch (XmlException e)
        {
            throw new InvalidDataException($"not a sitemap: {e.Message}", e);
        }
    }

    // <loc> is a child of <url> or <sitemap>; extensions (images, news) have <loc>s of their own, in other namespaces.
    private static List<string> ReadLocations(XmlReader xml, string parent, int most)
    {
        var space = xml.NamespaceURI;
        var locations = new List<string>();
        var within = false;
        xml.Read();
        while (!xml.EOF)
        {
            if (xml.NodeType == XmlNodeType.Element && xml.Depth == 1)
                within = xml.LocalName == parent && xml.NamespaceURI == space;
            if (xml is not { NodeType: XmlNodeType.Element, Depth: 2, LocalName: "loc" } || !within || xml.NamespaceURI != space)
            {
                xml.Read();
                continue;
            }

            if (locations.Count == most)
                throw new InvalidDataException($"lists more than {most}");
            locations.Add(xml.ReadElementContentAsString().Trim());
        }

        return locations;
    }

    private static Stream Unpack(Stream bytes)
    {
        var isGzip = bytes.ReadByte() == 0x1f && bytes.ReadByte() == 0x8b;
        bytes.Position = 0;
        if (!isGzip)
            return bytes;
        using var gzip = new GZipStream(bytes, CompressionMode.Decompress);
        var unpacked = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (gzip.Read(buffer) is > 0 and var read)
        {
            if (unpacked.Length + read > MaxBytes)
                throw new InvalidDataException($"larger than {MaxBytes} bytes when it's unpacked");
            unpacked.Write(buffer, 0, read);
        }

        unpacked.Position = 0;
        return unpacked;
    }
}

using System.Text;
using CdnEdge.Upstream.Interim;
using CsCheck;

namespace CdnEdge.Upstream.Tests.Interim;

public class InterimHeadParserTests
{
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-My:  test \r\n\r\n";

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 103 x\r\n\r\n", "", false)]
    [InlineData(Hints + "HTTP/1.1 200 OK\r\nA: b\r\n", "103 Link=</a.css>; rel=preload,X-My=test", false)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102\r\n\r\n" + Hints, "100 |102 |103 Link=</a.css>; rel=preload,X-My=test", true)]
    [InlineData("HTTP/1.0 103 x\nA: b\n\nHTTP/1.1 404 x\r\n", "103 A=b", false)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n", "", false)]
    [InlineData("HTTP/1.1 103 x\r\nno field\r\n: b\r\n folded\r\nA:\r\n\r\n", "103 A=", true)]
    [InlineData("HTTP/1.1 1x3 x\r\n\r\n", "", false)]
    [InlineData("<html>", "", false)]
    [InlineData("HTTP/1.1 103 x\r\nA: b\r\n", "", true)]
    [InlineData("", "", true)]
    public void Finds_interim_heads_however_they_are_cut(string bytes, string expected, bool goesOn)
    {
        var whole = Encoding.Latin1.GetBytes(bytes);
        foreach (var size in new[] { 1, 2, 3, 7, 13, 1000 })
        {
            var (found, on) = Feed(whole.Chunk(size));
            Assert.Equal(expected, found);
            Assert.Equal(goesOn, on);
        }
    }

    [Fact]
    public void Any_cutting_finds_the_same() =>
        Gen.Int[1, 40].List[0, 40].Sample(sizes =>
        {
            var bytes = Encoding.Latin1.GetBytes("HTTP/1.1 102 Processing\r\n\r\n" + Hints + Hints + "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 103 x\r\n\r\n");
            var pieces = new List<byte[]>();
            var at = 0;
            foreach (var size in sizes.TakeWhile(_ => at < bytes.Length))
            {
                pieces.Add(bytes[at..Math.Min(bytes.Length, at + size)]);
                at += size;
            }

            if (at < bytes.Length) pieces.Add(bytes[at..]);
            const string Expected = "103 Link=</a.css>; rel=preload,X-My=test";
            return Feed(pieces) == ($"102 |{Expected}|{Expected}", false);
        });

    [Fact]
    public void A_head_without_end_is_given_up()
    {
        var parser = new InterimHeadParser();
        List<InterimHead>? found = null;
        Assert.True(parser.Advance("HTTP/1.1 103 x\r\n"u8, ref found));
        var line = Encoding.Latin1.GetBytes("A: " + new string('b', 8000) + "\r\n");
        var fed = 0;
        while (parser.Advance(line, ref found)) Assert.True((fed += line.Length) <= InterimHeadParser.MaxHeadBytes);
        Assert.Null(found);
    }

    private static (string Found, bool GoesOn) Feed(IEnumerable<byte[]> pieces)
    {
        var parser = new InterimHeadParser();
        List<InterimHead>? found = null;
        foreach (var piece in pieces)
        {
            if (!parser.Advance(piece, ref found)) return (Text(found), false);
        }

        return (Text(found), true);
    }

    private static string Text(List<InterimHead>? heads) =>
        string.Join('|', (heads ?? []).Select(head => $"{head.Status} {string.Join(',', head.Fields.Select(field => $"{field.Key}={field.Value}"))}"));
}

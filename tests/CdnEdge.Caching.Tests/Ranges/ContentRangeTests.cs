using System.Text;

namespace CdnEdge.Caching.Tests.Ranges;

public class ContentRangeTests
{
    [Theory]
    [InlineData("bytes 0-4/10", 0, 5, 10L)]
    [InlineData("Bytes 9-9/10", 9, 1, 10L)]
    [InlineData("bytes 5-9/*", 5, 5, null)]
    public void Parses(string text, long offset, long length, long? complete)
    {
        Assert.True(ContentRange.TryParse(text, out var range));
        Assert.Equal(new ContentRange(new ByteRange(offset, length), complete), range);
    }

    [Theory]
    [InlineData("")]
    [InlineData("bytes */10")]
    [InlineData("bytes */*")]
    [InlineData("bytes 4-0/10")]
    [InlineData("bytes 0-10/10")]
    [InlineData("bytes 0-4")]
    [InlineData("bytes=0-4/10")]
    [InlineData("bytes -4/10")]
    [InlineData("bytes 0-/10")]
    [InlineData("bytes 0-4/")]
    [InlineData("bytes 0-4/x")]
    [InlineData("items 0-4/10")]
    [InlineData("bytes 0-99999999999999999999/*")]
    [InlineData("bytes 0-9223372036854775807/*")]
    public void Refuses(string text) => Assert.False(ContentRange.TryParse(text, out _));

    [Fact]
    public void Refuses_two_lines() => Assert.False(ContentRange.TryParse(new[] { "bytes 0-4/10", "bytes 0-4/10" }, out _));

    [Fact]
    public void Formats_what_it_parses()
    {
        var text = ContentRange.Format(new ByteRange(3, 4), 10);

        Assert.Equal("bytes 3-6/10", text);
        Assert.True(ContentRange.TryParse(text, out _));
        Assert.Equal("bytes */10", ContentRange.FormatUnsatisfied(10));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData(null)]
    public void Multipart_body_has_the_length_that_it_announces(string? contentType)
    {
        var body = "0123456789"u8.ToArray();
        ByteRange[] ranges = [new(0, 2), new(5, 3), new(9, 1)];
        var multipart = new MultipartByteRanges(ranges, body.Length, contentType);
        using var sent = new MemoryStream();
        for (var i = 0; i < multipart.Ranges.Length; i++)
        {
            sent.Write(multipart.PartHeader(i).Span);
            sent.Write(body, (int)ranges[i].Offset, (int)ranges[i].Length);
        }

        sent.Write(multipart.Trailer.Span);

        const string Type = "multipart/byteranges; boundary=";
        Assert.StartsWith(Type, multipart.ContentType, StringComparison.Ordinal);
        var boundary = multipart.ContentType[Type.Length..];
        var typeLine = contentType is null ? "" : "Content-Type: text/plain\r\n";
        Assert.Equal(
            $"--{boundary}\r\n{typeLine}Content-Range: bytes 0-1/10\r\n\r\n01" +
            $"\r\n--{boundary}\r\n{typeLine}Content-Range: bytes 5-7/10\r\n\r\n567" +
            $"\r\n--{boundary}\r\n{typeLine}Content-Range: bytes 9-9/10\r\n\r\n9" +
            $"\r\n--{boundary}--\r\n",
            Encoding.Latin1.GetString(sent.ToArray()));
        Assert.Equal(sent.Length, multipart.ContentLength);
    }

    [Fact]
    public void Multipart_boundaries_differ()
    {
        ByteRange[] ranges = [new(0, 1), new(5, 1)];

        Assert.NotEqual(new MultipartByteRanges(ranges, 10, null).ContentType, new MultipartByteRanges(ranges, 10, null).ContentType);
    }
}

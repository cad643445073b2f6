using System.Globalization;
using System.Text;

namespace CdnEdge.FaultyOrigin;

/// <summary>What a healthy origin says to a request: the head, and which bytes of which content follow.</summary>
internal sealed record Answer(int Status, long Number, int Version, long From, long Length, IReadOnlyList<string> Fields)
{
    internal const int MaxSize = 256 * 1024 * 1024;

    /// <summary>
    /// <c>/o/N?size=BYTES&amp;ttl=SECONDS&amp;swr=SECONDS&amp;sie=SECONDS&amp;v=VERSION&amp;etag=weak|none</c>. Without ttl a minute, below 0 no-store.
    /// </summary>
    internal static Answer To(Request request)
    {
        if (request.Path == "/health")
            return new(204, 0, 0, 0, 0, ["Cache-Control: no-store"]);
        if (request.Method is not ("GET" or "HEAD"))
            return Refusal(405, "Allow: GET, HEAD");
        if (!request.Path.StartsWith("/o/", StringComparison.Ordinal)
            || !uint.TryParse(request.Path.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return Refusal(404, "Cache-Control: no-store");
        }

        var size = request.Number("size") ?? 1024;
        if (size is < 0 or > MaxSize)
            return Refusal(400, "Cache-Control: no-store");
        var version = request.Number("v") ?? 0;
        var strong = Content.Tag(number, version, size);
        var tag = request.Query("etag") switch { "none" => null, "weak" => "W/" + strong, _ => strong };
        List<string> fields = [$"Cache-Control: {CacheControl(request)}"];
        if (tag is not null)
            fields.Add($"ETag: {tag}");
        if (tag is not null && request.Field("If-None-Match") is { } none && none.Contains(strong, StringComparison.Ordinal))
            return new(304, number, version, 0, 0, fields);

        fields.Add("Content-Type: application/octet-stream");
        fields.Add("Accept-Ranges: bytes");
        // If-Range takes a strong comparison (RFC 9110 §13.1.5).
        if (request.Field("Range") is not { } range || request.Field("If-Range") is { } condition && condition != (tag == strong ? strong : null))
            return new(200, number, version, 0, size, fields);
        return Range(range, size) switch
        {
            null => new(200, number, version, 0, size, fields),
            (_, <= 0) => new(416, number, version, 0, 0, [.. fields, $"Content-Range: bytes */{size}"]),
            (var from, var length) => new(206, number, version, from, length, [.. fields, $"Content-Range: bytes {from}-{from + length - 1}/{size}"]),
        };
    }

    /// <summary>The head's bytes.</summary>
    /// <param name="origin">The name in <c>X-Origin</c>.</param>
    /// <param name="date">The moment of the answer.</param>
    /// <param name="length">What Content-Length says.</param>
    /// <param name="close">The connection ends with it.</param>
    internal byte[] Head(string origin, DateTimeOffset date, long length, bool close)
    {
        var head = new StringBuilder(512);
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} {Reason}\r\nDate: {date:R}\r\nX-Origin: {origin}\r\n");
        foreach (var field in Fields)
            head.Append(field).Append("\r\n");
        if (Status is not (204 or 304))
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        if (close)
            head.Append("Connection: close\r\n");
        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }

    internal static Answer Refusal(int status, string field) => new(status, 0, 0, 0, 0, [field]);

    private string Reason => Status switch
    {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        _ => "Scripted",
    };

    private static string CacheControl(Request request)
    {
        var ttl = request.Number("ttl") ?? 60;
        if (ttl < 0)
            return "no-store";
        var text = $"max-age={ttl}";
        if (request.Number("swr") is { } whileRevalidating)
            text += $", stale-while-revalidate={whileRevalidating}";
        if (request.Number("sie") is { } ifError)
            text += $", stale-if-error={ifError}";
        return text;
    }

    /// <summary>One range (RFC 9110 §14.1.2); null: none that is understood, so all of it is meant. A length of 0: not satisfiable.</summary>
    private static (long From, long Length)? Range(string range, long size)
    {
        if (!range.StartsWith("bytes=", StringComparison.Ordinal) || range.Contains(',', StringComparison.Ordinal))
            return null;
        if (range["bytes=".Length..].Split('-') is not [var first, var last])
            return null;
        if (first.Length == 0)
        {
            if (!long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var suffix))
                return null;
            suffix = Math.Min(suffix, size);
            return (size - suffix, suffix);
        }

        if (!long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from))
            return null;
        var to = size - 1;
        if (last.Length > 0)
        {
            if (!long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end) || end < from)
                return null;
            to = Math.Min(to, end);
        }

        return (from, Math.Max(0, to - from + 1));
    }
}

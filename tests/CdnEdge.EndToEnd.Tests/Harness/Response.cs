using System.Buffers;
using System.Globalization;
using System.Text;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>How a response's body came to its end.</summary>
internal enum BodyEnd
{
    /// <summary>Not yet.</summary>
    Open,

    /// <summary>As its framing promised.</summary>
    Whole,

    /// <summary>The connection went away before what was promised had come.</summary>
    Broken,
}

/// <summary>A response as it came over the wire.</summary>
internal sealed class Response
{
    private readonly HttpReader _reader;
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly bool _chunked;
    private long? _left;

    internal Response(HttpReader reader, string method, IReadOnlyList<string> head, IReadOnlyList<Response> interim)
    {
        _reader = reader;
        Interim = interim;
        Status = int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture);
        Headers = new Fields(head.Skip(1));
        _chunked = Headers["Transfer-Encoding"] is not null;
        // RFC 9112 §6.3
        if (method == "HEAD" || Status is < 200 or 204 or 304)
            (_left, _chunked) = (0, false);
        else if (!_chunked)
            _left = Headers.Number("Content-Length");
        if (_left == 0 && !_chunked)
            End = BodyEnd.Whole;
    }

    internal int Status { get; }

    internal Fields Headers { get; }

    internal Fields Trailers { get; private set; } = new([]);

    /// <summary>The 1xx responses before it.</summary>
    internal IReadOnlyList<Response> Interim { get; }

    /// <summary>What of the body has been read.</summary>
    internal byte[] Body => _body.WrittenSpan.ToArray();

    /// <inheritdoc cref="Body"/>
    internal string Text => Encoding.Latin1.GetString(_body.WrittenSpan);

    internal BodyEnd End { get; private set; }

    /// <summary>Cache-Status (RFC 9211) of this edge.</summary>
    internal string CacheStatus => Headers["Cache-Status"] ?? "";

    /// <summary>Answered from memory without asking anybody.</summary>
    internal bool IsHit => CacheStatusParameters.Contains("hit");

    /// <summary>Why the request went forward: <c>uri-miss</c>, <c>stale</c>...; null: it didn't.</summary>
    internal string? Forwarded => CacheStatusParameters
        .FirstOrDefault(parameter => parameter.StartsWith("fwd=", StringComparison.Ordinal))?[4..];

    internal IReadOnlyList<string> CacheStatusParameters =>
        [.. CacheStatus.Split(',')[0].Split(';').Skip(1).Select(parameter => parameter.Trim())];

    /// <summary>Reads on until the body contains this, or ends.</summary>
    internal async Task ReadUntil(string text)
    {
        while (End == BodyEnd.Open && !Text.Contains(text, StringComparison.Ordinal))
            await ReadPiece();
        Assert.Contains(text, Text, StringComparison.Ordinal);
    }

    /// <summary>Reads on until this many bytes are there, or it ends.</summary>
    internal async Task ReadAtLeast(long bytes)
    {
        while (End == BodyEnd.Open && _body.WrittenCount < bytes)
            await ReadPiece();
    }

    internal Task ReadToEnd() => ReadAtLeast(long.MaxValue);

    public override string ToString() => $"{Status}\n{Headers}\n\n{Text}\n({End})";

    private async Task ReadPiece()
    {
        try
        {
            await Deadline.Within(_chunked ? ReadChunked() : ReadPlain(), $"more of a body than {_body.WrittenCount} bytes");
        }
        catch (IOException)
        {
            End = BodyEnd.Broken;
        }
    }

    private async Task ReadPlain()
    {
        var piece = await _reader.ReadSome(_left ?? long.MaxValue);
        _body.Write(piece.Span);
        _left -= piece.Length;
        if (_left == 0)
            End = BodyEnd.Whole;
        else if (piece.IsEmpty)
            End = _left is null ? BodyEnd.Whole : BodyEnd.Broken; // without framing the end of the connection is the end
    }

    private async Task ReadChunked()
    {
        if (_left is null)
        {
            (_left, var trailers) = await _reader.ReadChunkHead();
            if (_left == 0)
            {
                Trailers = new Fields(trailers);
                End = BodyEnd.Whole;
                return;
            }
        }

        var piece = await _reader.ReadSome(_left.Value);
        if (piece.IsEmpty)
            throw new EndOfStreamException();
        _body.Write(piece.Span);
        _left -= piece.Length;
        if (_left == 0)
        {
            await _reader.ReadChunkEnd();
            _left = null;
        }
    }
}

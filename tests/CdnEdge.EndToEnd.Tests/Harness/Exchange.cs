using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>One request at the origin, and the words for a script to answer it with.</summary>
internal sealed class Exchange
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly HttpReader _reader;
    private readonly CancellationToken _stopping;
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly bool _chunked;
    private long _left;
    private bool _ended;

    internal Exchange(Socket socket, NetworkStream stream, HttpReader reader, IReadOnlyList<string> head, CancellationToken stopping)
    {
        (_socket, _stream, _reader, _stopping) = (socket, stream, reader, stopping);
        var line = head[0].Split(' ');
        (Method, Target) = (line[0], line[1]);
        Headers = new Fields(head.Skip(1));
        _chunked = Headers["Transfer-Encoding"] is not null;
        _left = Headers.Number("Content-Length") ?? 0;
    }

    internal string Method { get; }

    internal string Target { get; }

    internal Fields Headers { get; }

    /// <summary>The request's body as far as it has been read.</summary>
    internal byte[] Body => _body.WrittenSpan.ToArray();

    internal Fields Trailers { get; private set; } = new([]);

    /// <summary>The extensions of all chunks of the request's body.</summary>
    internal string ChunkExtensions { get; private set; } = "";

    /// <summary>The body, and with it the request, has come to its end.</summary>
    internal bool IsWhole => _chunked ? _ended : _left == 0;

    /// <summary>Whether the connection can't be used any more.</summary>
    internal bool Closed { get; private set; }

    /// <summary>A whole response with Content-Length.</summary>
    /// <param name="fields">Lines such as <c>Cache-Control: max-age=60</c>.</param>
    internal Task Respond(int status, string[] fields, string body = "")
    {
        var length = status is 204 or 304 ? "" : $"Content-Length: {body.Length}\r\n";
        return Raw($"HTTP/1.1 {status} Scripted\r\n{Lines(fields)}{length}\r\n{(Method == "HEAD" || status is 204 or 304 ? "" : body)}");
    }

    /// <summary>A whole 200 that may be stored for ten minutes.</summary>
    internal Task Fresh(string body, params string[] fields) => Respond(200, ["Cache-Control: max-age=600", .. fields], body);

    /// <summary>An interim response (1xx).</summary>
    internal Task Interim(int status, params string[] fields) => Raw($"HTTP/1.1 {status} Interim\r\n{Lines(fields)}\r\n");

    /// <summary>Begins a response whose body follows in chunks.</summary>
    internal Task Begin(int status, params string[] fields) =>
        Raw($"HTTP/1.1 {status} Scripted\r\n{Lines(fields)}Transfer-Encoding: chunked\r\n\r\n");

    internal Task Chunk(string piece) => Raw($"{piece.Length:x}\r\n{piece}\r\n");

    /// <summary>Ends a chunked body, with trailers if there are any.</summary>
    internal Task End(params string[] trailers) => Raw($"0\r\n{Lines(trailers)}\r\n");

    /// <summary>Exactly these characters, each one a byte.</summary>
    internal Task Raw(string bytes) => _stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), _stopping).AsTask();

    /// <summary>Closes the connection properly, whatever was promised.</summary>
    internal Task Close()
    {
        Closed = true;
        _socket.Shutdown(SocketShutdown.Send);
        return Task.CompletedTask;
    }

    /// <summary>Resets the connection.</summary>
    internal Task Reset()
    {
        Closed = true;
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
        return Task.CompletedTask;
    }

    /// <summary>Never answers: waits until the edge hangs up or the test is over.</summary>
    internal async Task Hang()
    {
        Closed = true;
        var nothing = new byte[1];
        while (await _stream.ReadAsync(nothing, _stopping) > 0)
        {
        }
    }

    /// <summary>Reads and answers bytes with themselves until the other side closes: a tunnel.</summary>
    internal async Task Echo()
    {
        Closed = true;
        while (await _reader.ReadSome(long.MaxValue) is { IsEmpty: false } piece)
            await _stream.WriteAsync(piece, _stopping);
    }

    /// <summary>The rest of the request's body; what was read before included.</summary>
    internal async Task<byte[]> ReadBody()
    {
        while (await ReadBodyPiece())
        {
        }

        return Body;
    }

    /// <summary>Reads what of the body has arrived. False: it's at its end.</summary>
    internal async Task<bool> ReadBodyPiece()
    {
        if (_chunked && _left == 0 && !_ended)
        {
            (_left, var trailers) = await _reader.ReadChunkHead();
            ChunkExtensions += _reader.ChunkExtension;
            if (_left == 0)
                (_ended, Trailers) = (true, new Fields(trailers));
        }

        if (_left == 0)
            return false;
        var piece = await _reader.ReadSome(_left);
        if (piece.IsEmpty)
            throw new EndOfStreamException("The edge broke off the request's body.");
        _body.Write(piece.Span);
        _left -= piece.Length;
        if (_chunked && _left == 0)
            await _reader.ReadChunkEnd();
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Method} {Target}\n{Headers}");

    private static string Lines(string[] fields) => string.Concat(fields.Select(field => field + "\r\n"));
}

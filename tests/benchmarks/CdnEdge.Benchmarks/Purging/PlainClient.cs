using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CdnEdge.Benchmarks.Purging;

/// <summary>A client that costs little: one connection, one request at a time, responses with Content-Length.</summary>
internal sealed class PlainClient : IDisposable
{
    internal const string Site = "www.example.org";

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly int _port;

    internal PlainClient(int port)
    {
        _port = port;
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>The last response came from memory.</summary>
    internal bool IsHit { get; private set; }

    /// <summary>The body of a page of the site.</summary>
    internal Task<string> GetAsync(string path) => AskAsync($"GET {path} HTTP/1.1\r\nHost: {Site}\r\n\r\n");

    internal Task<string> PostAsync(string path, string json) =>
        AskAsync($"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{_port}\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    public void Dispose() => _socket.Dispose();

    private async Task<string> AskAsync(string request)
    {
        await _socket.SendAsync(Encoding.ASCII.GetBytes(request));
        var length = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (read == 0)
                throw new IOException("The connection ended.");
            length += read;
            var text = Encoding.ASCII.GetString(_buffer, 0, length);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0 || BodyOf(text, end) is not { } body)
                continue;
            if (!text.StartsWith("HTTP/1.1 2", StringComparison.Ordinal))
                throw new IOException(text);
            IsHit = text.Contains("Cache-Status: cdnedge; hit", StringComparison.Ordinal);
            return body;
        }
    }

    // Null: not all of it has come.
    private static string? BodyOf(string text, int end)
    {
        const string name = "\r\nContent-Length: ";
        var body = text[(end + 4)..];
        var at = text.IndexOf(name, 0, end, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return body.EndsWith("0\r\n\r\n", StringComparison.Ordinal) ? body : null; // in chunks
        at += name.Length;
        return body.Length >= int.Parse(text[at..text.IndexOf('\r', at)], CultureInfo.InvariantCulture) ? body : null;
    }
}

using System.Net.Sockets;
using System.Text;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A client that sends exactly the bytes it's told to and shows exactly what comes back.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly HttpReader _reader;
    private readonly string _host;

    private RawClient(Socket socket, string host)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new HttpReader(_stream);
        _host = host;
    }

    /// <param name="receiveBuffer">Bytes the kernel may take in for a client that doesn't read; null: as usual.</param>
    internal static async Task<RawClient> Connect(Uri address, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } bytes)
            socket.ReceiveBufferSize = bytes;
        await Deadline.Within(socket.ConnectAsync(address.Host, address.Port), $"a connection to {address}");
        return new RawClient(socket, address.Authority);
    }

    /// <summary>Sends these characters, each one a byte.</summary>
    internal Task Send(string bytes) => Send(Encoding.Latin1.GetBytes(bytes));

    internal Task Send(ReadOnlyMemory<byte> bytes) =>
        Deadline.Within(_stream.WriteAsync(bytes).AsTask(), "the edge to take the request");

    /// <summary>The same to an edge that may hang up before it has taken it all.</summary>
    internal async Task SendAsMuchAsIsTaken(string bytes)
    {
        try
        {
            await Send(bytes);
        }
        catch (IOException)
        {
            // What it answered is still to be read.
        }
    }

    /// <summary>Sends a request with Host and without body.</summary>
    internal Task Ask(string method, string target, params string[] fields) =>
        Send($"{method} {target} HTTP/1.1\r\n{WithHost(fields)}\r\n");

    internal async Task<Response> Get(string target, params string[] fields)
    {
        await Ask("GET", target, fields);
        return await Receive("GET");
    }

    /// <summary>A whole response, or as much of it as there is before it breaks off.</summary>
    internal async Task<Response> Receive(string method = "GET")
    {
        var response = await ReceiveHead(method);
        await response.ReadToEnd();
        return response;
    }

    /// <summary>A response up to its head; the body is read as the test asks for it.</summary>
    internal async Task<Response> ReceiveHead(string method = "GET")
    {
        var interim = new List<Response>();
        while (true)
        {
            var head = await Deadline.Within(_reader.ReadHead(), "the head of a response")
                ?? throw new EndOfStreamException("The connection ended without a response.");
            var response = new Response(_reader, method, head, interim);
            if (response.Status is < 100 or >= 200 or 101)
                return response;
            interim.Add(response);
        }
    }

    /// <summary>A whole response, or null if the edge hung up without any.</summary>
    internal async Task<Response?> ReceiveOrNull()
    {
        try
        {
            return await Receive();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The next response, a 1xx included: only that it came, nothing after it.</summary>
    internal async Task<Response> ReceiveInterim()
    {
        var head = await Deadline.Within(_reader.ReadHead(), "an interim response")
            ?? throw new EndOfStreamException("The connection ended without a response.");
        return new Response(_reader, "GET", head, []);
    }

    /// <summary>So many bytes behind the head, whatever they mean: a tunnel's.</summary>
    internal async Task<string> ReceiveText(int length)
    {
        var text = "";
        while (text.Length < length)
        {
            var piece = await Deadline.Within(_reader.ReadSome(length - text.Length), $"{length} bytes");
            if (piece.IsEmpty)
                throw new EndOfStreamException($"The connection ended after \"{text}\".");
            text += Encoding.Latin1.GetString(piece.Span);
        }

        return text;
    }

    /// <summary>Whether the edge has closed the connection; waits for it to do so or to send something instead.</summary>
    internal async Task<bool> IsClosed()
    {
        try
        {
            return (await Deadline.Within(_reader.ReadSome(1), "the edge to close the connection")).IsEmpty;
        }
        catch (IOException)
        {
            return true; // reset: closed, only less politely
        }
    }

    /// <summary>Completes when the edge has answered or closed the connection, whatever is sent meanwhile.</summary>
    internal async Task IsClosedOrAnswered()
    {
        try
        {
            await _reader.ReadSome(1);
        }
        catch (IOException)
        {
            // Reset.
        }
    }

    /// <summary>Whether the edge has broken the connection off, though nobody reads what came before.</summary>
    internal bool IsReset() => _socket.Poll(0, SelectMode.SelectError) || (int)_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! != 0;

    /// <summary>Hangs up at once, with a reset.</summary>
    internal void HangUp()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private string WithHost(string[] fields)
    {
        var lines = fields.Any(field => field.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))
            ? fields
            : [$"Host: {_host}", .. fields];
        return string.Concat(lines.Select(line => line + "\r\n"));
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CdnEdge.Upstream.Tests.Scene;

/// <summary>An origin that reads requests and answers with exactly the bytes that a test gives it.</summary>
internal sealed class RawOrigin : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<OriginConnection, Task> _serve;
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly Task _accepting;

    private RawOrigin(Func<OriginConnection, Task> serve)
    {
        _serve = serve;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}/";

    /// <summary>The heads (and bodies, if a test reads them) received, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public int Connections => _sockets.Count;

    /// <summary>Each request on each connection is answered with the same bytes; keep-alive.</summary>
    public static RawOrigin Answering(string response) => Answering(_ => response);

    public static RawOrigin Answering(Func<string, string> response) => new(async connection =>
    {
        while (await connection.ReadRequestAsync() is { } request) await connection.SendAsync(response(request));
    });

    /// <summary>Each connection is served by the test.</summary>
    public static RawOrigin Serving(Func<OriginConnection, Task> serve) => new(serve);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        foreach (var socket in _sockets) socket.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                socket.NoDelay = true;
                _sockets.Add(socket);
                serving.Add(ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await Task.Yield();
            await _serve(new OriginConnection(socket, Requests));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The proxy went away, as it may.
        }
        finally
        {
            socket.Dispose();
        }
    }
}

/// <summary>One connection at a raw origin.</summary>
internal sealed class OriginConnection(Socket socket, ConcurrentQueue<string> requests)
{
    private readonly byte[] _buffer = new byte[65536];
    private int _count;

    public Socket Socket => socket;

    /// <summary>The next request's head, or null at the connection's end.</summary>
    public async Task<string?> ReadRequestAsync()
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _count).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var head = Encoding.Latin1.GetString(_buffer, 0, end + 4);
                _buffer.AsSpan(end + 4, _count - end - 4).CopyTo(_buffer);
                _count -= end + 4;
                requests.Enqueue(head);
                return head;
            }

            var read = await socket.ReceiveAsync(_buffer.AsMemory(_count));
            if (read == 0) return null;
            _count += read;
        }
    }

    /// <summary>Reads until <paramref name="text"/> has come (of a body, say); what came before is dropped with it.</summary>
    public async Task ReadUntilAsync(string text)
    {
        while (true)
        {
            var at = _buffer.AsSpan(0, _count).IndexOf(Encoding.Latin1.GetBytes(text));
            if (at >= 0)
            {
                var end = at + text.Length;
                _buffer.AsSpan(end, _count - end).CopyTo(_buffer);
                _count -= end;
                return;
            }

            var read = await socket.ReceiveAsync(_buffer.AsMemory(_count));
            if (read == 0) throw new IOException("The connection ended.");
            _count += read;
        }
    }

    public async Task SendAsync(string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Ends the connection with a RST.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Soak;

/// <summary>
/// A connection that somebody sends anything on. That the node breaks it off is what is wanted of it: an <see cref="IOException"/>
/// like any other end.
/// </summary>
internal sealed class AttackConnection : IAsyncDisposable
{
    /// <summary>Frames that are sent before an attacker looks whether he is heard: as many as fit a write.</summary>
    private const int Batch = 100;

    private readonly Socket _socket;
    private readonly CancellationTokenSource _patience;
    private readonly byte[] _received = new byte[16 * 1024];
    private Stream _stream = Stream.Null;

    private AttackConnection(Socket socket, TimeSpan patience) => (_socket, _patience) = (socket, new CancellationTokenSource(patience));

    /// <param name="from">The attacker's address, of loopback.</param>
    /// <param name="node">Where the node is; https speaks TLS.</param>
    /// <param name="isHttp2">Over TLS, whether it's HTTP/2 that is spoken.</param>
    /// <param name="patience">All of it takes no longer: an <see cref="OperationCanceledException"/>.</param>
    internal static async Task<AttackConnection> ConnectAsync(IPAddress from, Uri node, bool isHttp2, TimeSpan patience)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 8192 };
        var client = new AttackConnection(socket, patience);
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(IPAddress.Loopback, node.Port, client._patience.Token);
            client._stream = new NetworkStream(socket, ownsSocket: true);
            if (node.Scheme == Uri.UriSchemeHttps)
                await client.ShakeHandsAsync(isHttp2);
            return client;
        }
        catch
        {
            socket.Dispose();
            await client.DisposeAsync();
            throw;
        }
    }

    internal Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    internal Task SendAsync(byte[] bytes) => _stream.WriteAsync(bytes, _patience.Token).AsTask();

    /// <summary>Reads so many bytes, or as many as come.</summary>
    internal async Task ReadAsync(long count)
    {
        while (count > 0 && await _stream.ReadAsync(_received, _patience.Token) is > 0 and var read)
            count -= read;
    }

    internal Task ReadToEndAsync() => ReadAsync(long.MaxValue);

    /// <summary>Sends the start, and then a character every now and then.</summary>
    internal async Task DripAsync(string start)
    {
        await SendAsync(start);
        while (true)
        {
            await Task.Delay(200, _patience.Token);
            await SendAsync("x");
        }
    }

    /// <summary>Reads nothing.</summary>
    internal async Task WaitAsync()
    {
        while (!_socket.Poll(0, SelectMode.SelectError))
            await Task.Delay(200, _patience.Token);
    }

    internal async Task BeginHttp2Async(uint window) =>
        await SendAsync([.. Http2Frame.Preface, .. Http2Frame.Of(FrameType.Settings, 0, 0, Http2Frame.Settings((4, window)))]);

    /// <summary>Sends frames as fast as they are taken, and reads what comes.</summary>
    internal async Task FloodAsync(Func<long, byte[]> frame)
    {
        var reading = ReadToEndAsync();
        for (var i = 0L; !reading.IsCompleted; i += Batch)
        {
            var first = i;
            await SendAsync([.. Enumerable.Range(0, Batch).SelectMany(more => frame(first + more))]);
        }

        await reading;
    }

    /// <summary>Breaks it off (RST).</summary>
    internal void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _patience.Dispose();
    }

    private async Task ShakeHandsAsync(bool isHttp2)
    {
        var tls = new SslStream(_stream);
        _stream = tls;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = Topology.Site,
            ApplicationProtocols = [isHttp2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11],
#pragma warning disable CA5359 // The node's certificate is the one for development.
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
        };
        await tls.AuthenticateAsClientAsync(options, _patience.Token);
    }
}

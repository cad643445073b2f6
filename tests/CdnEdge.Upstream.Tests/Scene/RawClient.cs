using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace CdnEdge.Upstream.Tests.Scene;

/// <summary>A client that sends exactly the bytes given, and sees exactly the bytes answered.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly TcpClient _tcp;
    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[1 << 20];
    private int _count;

    private RawClient(TcpClient tcp, Stream stream) => (_tcp, _stream) = (tcp, stream);

    public static async Task<RawClient> ConnectAsync(int port, bool tls = false)
    {
        var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync("127.0.0.1", port);
        if (!tls) return new RawClient(tcp, tcp.GetStream());

        var ssl = new SslStream(tcp.GetStream());
        await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost",
        });
        return new RawClient(tcp, ssl);
    }

    public async Task SendAsync(string text)
    {
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        await _stream.FlushAsync();
    }

    /// <summary>Everything up to and including <paramref name="text"/>.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        var wanted = Encoding.Latin1.GetBytes(text);
        while (true)
        {
            var at = _buffer.AsSpan(0, _count).IndexOf(wanted);
            if (at >= 0) return Take(at + wanted.Length);
            if (!await FillAsync()) throw new IOException($"The connection ended before '{text}': {Take(_count)}");
        }
    }

    /// <summary>A head (interim or final), up to its empty line.</summary>
    public Task<string> ReadHeadAsync() => ReadUntilAsync("\r\n\r\n");

    public async Task<string> ReadAsync(int bytes)
    {
        while (_count < bytes)
        {
            if (!await FillAsync()) throw new IOException($"The connection ended early: {Take(_count)}");
        }

        return Take(bytes);
    }

    /// <summary>Everything until the server closes; a reset counts as a close and is told in the text.</summary>
    public async Task<string> ReadToEndAsync()
    {
        try
        {
            while (await FillAsync())
            {
            }
        }
        catch (IOException e) when (e.InnerException is SocketException)
        {
            return Take(_count) + "<reset>";
        }

        return Take(_count);
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return _stream.DisposeAsync();
    }

    private string Take(int count)
    {
        var text = Encoding.Latin1.GetString(_buffer, 0, count);
        _buffer.AsSpan(count, _count - count).CopyTo(_buffer);
        _count -= count;
        return text;
    }

    private async Task<bool> FillAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var read = await _stream.ReadAsync(_buffer.AsMemory(_count), deadline.Token);
        _count += read;
        return read > 0;
    }
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CdnEdge.Lab.Load;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>
/// An HTTP/2 client over TLS that sends exactly the frames it's told to, well-formed or not, and notes what comes back.
/// It reads all the time, acknowledges settings and opens windows, unless told to be idle.
/// </summary>
internal sealed class RawHttp2 : IAsyncDisposable
{
    private readonly SslStream _stream;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentDictionary<int, Http2Answer> _answers = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _opensWindows;
    private Task _reading = Task.CompletedTask;
    private long _received;

    private RawHttp2(SslStream stream, bool opensWindows) => (_stream, _opensWindows) = (stream, opensWindows);

    /// <summary>The connection has ended, from the edge's side.</summary>
    internal bool IsClosed => _closed.Task.IsCompleted;

    /// <summary>The error code of the GOAWAY that came; null: none.</summary>
    internal uint? GoAway { get; private set; }

    /// <summary>Bytes that came of DATA frames.</summary>
    internal long Received => Volatile.Read(ref _received);

    /// <param name="address">The edge's, https.</param>
    /// <param name="windows">The initial window of each stream; 0: the edge can't send any body. Windows are opened again as bytes come where it isn't 0.</param>
    /// <param name="reads">False: nothing is ever read, as of a client that is gone though its connection isn't.</param>
    internal static async Task<RawHttp2> Connect(Uri address, uint windows = 65_535, bool reads = true)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (!reads)
            socket.ReceiveBufferSize = 4096;
        await Deadline.Within(socket.ConnectAsync(address.Host, address.Port), $"a connection to {address}");
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await Deadline.Within(tls.AuthenticateAsClientAsync(Handshake()), "a TLS session");
        var client = new RawHttp2(tls, windows > 0);
        await client.Raw(Http2Frame.Preface.ToArray());
        // No dynamic table, so that answers can be read without keeping one; no push.
        await client.Send(FrameType.Settings, 0, 0, Http2Frame.Settings((1, 0), (2, 0), (4, windows)));
        if (reads)
            client._reading = client.Read();
        return client;
    }

    /// <summary>The pseudo-header fields of a request, and more.</summary>
    internal static (string, string)[] Request(string path, string method = "GET", params (string, string)[] more) =>
        [(":method", method), (":scheme", "https"), (":authority", "a.example"), (":path", path), .. more];

    internal Task Send(FrameType type, byte flags, int stream, ReadOnlyMemory<byte> payload = default) => Raw(Http2Frame.Of(type, flags, stream, payload.Span));

    /// <summary>Sends a whole request without body.</summary>
    internal Task Ask(int stream, params (string, string)[] fields) =>
        Send(FrameType.Headers, Http2Frame.EndStream | Http2Frame.EndHeaders, stream, Http2Frame.Block(fields));

    /// <summary>Exactly these bytes.</summary>
    internal async Task Raw(ReadOnlyMemory<byte> bytes)
    {
        await _writing.WaitAsync();
        try
        {
            await Deadline.Within(_stream.WriteAsync(bytes).AsTask(), "the edge to take frames");
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// Sends the same again and again as fast as it's taken, until the edge ends the connection or the time is over.
    /// How often it was sent.
    /// </summary>
    internal async Task<long> Flood(Func<long, ReadOnlyMemory<byte>> next, TimeSpan time)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        over.CancelAfter(time);
        var sent = 0L;
        try
        {
            while (!IsClosed && !over.IsCancellationRequested)
            {
                await _writing.WaitAsync(over.Token);
                try
                {
                    await _stream.WriteAsync(next(sent), over.Token);
                }
                finally
                {
                    _writing.Release();
                }

                sent++;
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The edge has ended the connection, or takes no more of it: what counts is read afterwards.
        }

        return sent;
    }

    /// <summary>The answer on a stream, to its end or the stream's or the connection's.</summary>
    internal async Task<Http2Answer> Answer(int stream)
    {
        var answer = AnswerOn(stream);
        await Deadline.Within(Task.WhenAny(answer.Ended, _closed.Task), $"the answer on stream {stream}");
        return answer;
    }

    /// <summary>Whether the edge has broken the connection off, where nothing is read: a frame can't be sent any more.</summary>
    internal async Task<bool> IsReset()
    {
        try
        {
            await Send(FrameType.Priority, 0, 1, new byte[] { 0, 0, 0, 3, 1 });
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Waits until the edge has ended the connection.</summary>
    internal Task Closed() => Deadline.Within(_closed.Task, "the edge to end the connection");

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _reading;
        _writing.Dispose();
    }

    private static SslClientAuthenticationOptions Handshake() => new()
    {
        TargetHost = "a.example",
        ApplicationProtocols = [SslApplicationProtocol.Http2],
#pragma warning disable CA5359 // The edge's certificate is the one for development.
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
    };

    private Http2Answer AnswerOn(int stream) => _answers.GetOrAdd(stream, static _ => new Http2Answer());

    private async Task Read()
    {
        var head = new byte[9];
        try
        {
            while (true)
            {
                await _stream.ReadExactlyAsync(head);
                var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
                await _stream.ReadExactlyAsync(payload);
                await Take((FrameType)head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue, payload);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException or TimeoutException)
        {
            _closed.TrySetResult();
        }
    }

    private async Task Take(FrameType type, byte flags, int stream, byte[] payload)
    {
        switch (type)
        {
            case FrameType.Settings when (flags & Http2Frame.Ack) == 0:
                await Send(FrameType.Settings, Http2Frame.Ack, 0);
                break;
            case FrameType.Headers:
                AnswerOn(stream).Head(payload);
                break;
            case FrameType.Data:
                Interlocked.Add(ref _received, payload.Length);
                AnswerOn(stream).Add(payload);
                if (_opensWindows && payload.Length > 0)
                    await Raw((byte[])[.. Http2Frame.Of(FrameType.WindowUpdate, 0, 0, Http2Frame.Number((uint)payload.Length)), .. Http2Frame.Of(FrameType.WindowUpdate, 0, stream, Http2Frame.Number((uint)payload.Length))]);
                break;
            case FrameType.RstStream:
                AnswerOn(stream).Reset(BinaryPrimitives.ReadUInt32BigEndian(payload));
                break;
            case FrameType.GoAway:
                GoAway = BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(4));
                break;
        }

        if (type is FrameType.Headers or FrameType.Data && (flags & Http2Frame.EndStream) != 0)
            AnswerOn(stream).End();
    }
}

/// <summary>What came back on one stream.</summary>
internal sealed class Http2Answer
{
    private readonly StringBuilder _text = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task Ended => _ended.Task;

    /// <summary>0: there was none.</summary>
    internal int Status { get; private set; }

    /// <summary>The error code of the RST_STREAM; null: there was none.</summary>
    internal uint? Error { get; private set; }

    /// <summary>The field block as characters: the edge's server writes values plainly.</summary>
    internal string Fields { get; private set; } = "";

    internal string Text => _text.ToString();

    public override string ToString() => $"{Status} (error {Error?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"})\n{Fields}\n{Text}";

    internal void Head(byte[] block)
    {
        Fields += Encoding.Latin1.GetString(block);
        if (Status == 0)
            Status = StatusOf(block);
    }

    internal void Add(byte[] bytes) => _text.Append(Encoding.Latin1.GetString(bytes));

    internal void Reset(uint error)
    {
        Error = error;
        _ended.TrySetResult();
    }

    internal void End() => _ended.TrySetResult();

    // The first field, behind updates of the table's size: one of the static table (RFC 7541 Appendix A), or its name with a value.
    private static int StatusOf(ReadOnlySpan<byte> block)
    {
        while ((block[0] & 0xE0) == 0x20)
            block = block[1..];
        return block[0] switch
        {
            0x88 => 200,
            0x89 => 204,
            0x8A => 206,
            0x8B => 304,
            0x8C => 400,
            0x8D => 404,
            0x8E => 500,
            _ => int.Parse(Encoding.ASCII.GetString(block.Slice(2, 3)), System.Globalization.CultureInfo.InvariantCulture),
        };
    }
}

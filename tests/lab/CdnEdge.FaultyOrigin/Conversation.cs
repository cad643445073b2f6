using System.Buffers;
using System.Net.Sockets;

namespace CdnEdge.FaultyOrigin;

/// <summary>One connection: requests one after the other, each answered as the fault of the moment has it.</summary>
internal sealed class Conversation(TrafficPort port, Socket socket)
{
    private const int MaxHead = 64 * 1024;

    private const int Piece = 16 * 1024;

    // What was sent before a reset should arrive: a reset throws away what the other side hasn't read yet.
    private static readonly TimeSpan BeforeReset = TimeSpan.FromMilliseconds(30);

    private readonly byte[] _head = new byte[MaxHead];
    private int _read;

    /// <summary>Returns when the connection is over, whoever ended it.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (await ReadHeadAsync(stopping) is { } request)
            {
                if (!await CountedAsync(request, stopping))
                    return;
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The other side hung up, or the port was closed under it: both happen all the time here.
        }
        finally
        {
            socket.Dispose();
        }
    }

    /// <summary>Breaks it off with a reset.</summary>
    internal static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        socket.Dispose();
    }

    private async Task<Request?> ReadHeadAsync(CancellationToken stopping)
    {
        while (true)
        {
            var end = _head.AsSpan(0, _read).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var request = Request.Parse(_head.AsSpan(0, end));
                _head.AsSpan(end + 4, _read - end - 4).CopyTo(_head);
                _read -= end + 4;
                return request;
            }

            if (_read == _head.Length)
                return null;
            var count = await socket.ReceiveAsync(_head.AsMemory(_read), stopping);
            if (count == 0)
                return null;
            _read += count;
        }
    }

    private async Task<bool> CountedAsync(Request request, CancellationToken stopping)
    {
        if (request.Path == "/health")
        {
            port.Tally.Probe();
            return await AnswerAsync(request, stopping);
        }

        port.Tally.Begin(request.Path);
        try
        {
            return await AnswerAsync(request, stopping);
        }
        finally
        {
            port.Tally.End();
        }
    }

    /// <returns>Whether the connection is used further.</returns>
    private async Task<bool> AnswerAsync(Request request, CancellationToken stopping)
    {
        var fault = port.Fault;
        if (port.Chance(fault.HangRate))
        {
            port.Tally.Fault();
            // Until the other side has had enough.
            await socket.ReceiveAsync(new byte[1], SocketFlags.Peek, stopping);
            return false;
        }

        var wait = port.Service * fault.SlowFactor + TimeSpan.FromMilliseconds(fault.DelayMs);
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, stopping);
        var reset = port.Chance(fault.ResetRate);
        if (reset)
            port.Tally.Fault();
        if (reset && fault.ResetAfter < 0)
        {
            Reset(socket);
            return false;
        }

        var answer = Answer.To(request);
        if (fault.Status != 0 && port.Chance(fault.StatusRate))
        {
            port.Tally.Fault();
            answer = Answer.Refusal(fault.Status, "Cache-Control: no-store");
        }

        if (answer.Status == 206)
            port.Tally.Partial();
        if (answer.Status == 304)
            port.Tally.NotModified();
        var close = fault.LengthOffset != 0 && answer.Length > 0
            || string.Equals(request.Field("Connection"), "close", StringComparison.OrdinalIgnoreCase)
            || answer.Status == 405; // what its body is, nobody has read
        var stated = close ? Math.Max(0, answer.Length + fault.LengthOffset) : answer.Length;
        await SendAsync(answer.Head(port.Name, port.Now, stated, close), stopping);
        if (!request.IsHead && !await SendBodyAsync(answer, fault, reset, stopping))
            return false;
        if (close)
            socket.Shutdown(SocketShutdown.Both);
        return !close;
    }

    /// <returns>Whether all of it was sent.</returns>
    private async Task<bool> SendBodyAsync(Answer answer, Fault fault, bool reset, CancellationToken stopping)
    {
        var end = reset ? Math.Min(fault.ResetAfter, answer.Length - 1) : answer.Length;
        var piece = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (var sent = 0L; sent < end;)
            {
                var count = (int)Math.Min(end - sent, fault.DripBytes > 0 ? Math.Min(fault.DripBytes, Piece) : Piece);
                Content.Fill(piece.AsSpan(0, count), answer.Number, answer.Version, answer.From + sent);
                await SendAsync(piece.AsMemory(0, count), stopping);
                sent += count;
                if (fault.DripBytes > 0 && sent < end)
                    await Task.Delay(fault.DripMs, stopping);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        if (!reset)
            return true;
        await Task.Delay(BeforeReset, stopping);
        Reset(socket);
        return false;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stopping)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, stopping)..];
    }
}

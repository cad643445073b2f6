using System.Net;
using System.Net.Sockets;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A TCP relay to a port of 127.0.0.1, to make a connection slow or lose it in the middle.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly int _target;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private volatile Gate _gate = new(long.MaxValue);

    internal Relay(int target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    internal int Port { get; }

    /// <summary>From now on so many bytes of the answers pass, then nothing until <see cref="Open"/>: the connection stays.</summary>
    internal void HoldAfter(long bytes) => _gate = new Gate(bytes);

    /// <summary>All passes.</summary>
    internal void Open()
    {
        var before = _gate;
        _gate = new Gate(long.MaxValue);
        before.Opened.TrySetResult();
    }

    /// <summary>Answers are held at this moment.</summary>
    internal bool IsHolding => _gate.IsReached;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_stopping.Token);
                _connections.Add(RelayAsync(client));
            }
            catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var near = client;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
            await Task.WhenAny(PassAsync(near, far, gated: false), PassAsync(far, near, gated: true));
        }
        catch (Exception gone) when (gone is OperationCanceledException or SocketException)
        {
            // Either end has gone: so does the other.
        }
    }

    private async Task PassAsync(Socket from, Socket to, bool gated)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stopping.Token) is > 0 and var read)
            {
                if (gated)
                    await _gate.PassAsync(read, _stopping.Token);
                await to.SendAsync(buffer.AsMemory(0, read), _stopping.Token);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Either end has gone.
        }
    }

    private sealed class Gate(long bytes)
    {
        private long _left = bytes;

        internal TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal bool IsReached => Interlocked.Read(ref _left) < 0;

        internal Task PassAsync(int count, CancellationToken stopping) =>
            Interlocked.Add(ref _left, -count) >= 0 ? Task.CompletedTask : Opened.Task.WaitAsync(stopping);
    }
}

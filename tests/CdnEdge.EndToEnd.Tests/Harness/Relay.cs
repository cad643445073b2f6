using System.Net;
using System.Net.Sockets;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>A TCP relay to a port of 127.0.0.1, to make a connection slow, lose it in the middle, or close the port for a while.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly List<Task> _connections = [];
    private Socket _listener = null!;
    private CancellationTokenSource _stopping = null!;
    private Task _accepting = null!;
    private volatile Gate _gate = new(long.MaxValue);

    internal Relay(int target = 0)
    {
        Target = target;
        Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
    }

    internal int Port { get; }

    /// <summary>Where new connections go: who's behind it may be started again on another port.</summary>
    internal int Target { get; set; }

    /// <summary>Closes the port and all connections.</summary>
    internal async Task CloseAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections);
        _connections.Clear();
        _stopping.Dispose();
    }

    /// <summary>Listens on its port again.</summary>
    internal void ListenAgain() => Listen(Port);

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
        if (!_accepting.IsCompleted)
            await CloseAsync();
    }

    private void Listen(int port)
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
        _stopping = new CancellationTokenSource();
        _accepting = AcceptAsync();
    }

    private async Task AcceptAsync()
    {
        var stopping = _stopping.Token;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(stopping);
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
            await far.ConnectAsync(IPAddress.Loopback, Target, _stopping.Token);
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

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace CdnEdge.FaultyOrigin;

/// <summary>
/// The port that content is served at. It can stop listening and listen again; another socket holds the port meanwhile, so that
/// nobody else gets it.
/// </summary>
internal sealed class TrafficPort : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Socket _holder = NewSocket();
    private readonly ConcurrentDictionary<Socket, bool> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Random _random;
    private readonly TimeProvider _time;
    private Socket? _listener;
    private Fault _fault = Fault.None;
    private CancellationTokenSource? _flapping;

    /// <param name="name">What <c>X-Origin</c> says.</param>
    /// <param name="port">0: a free one.</param>
    /// <param name="service">What an answer takes when all is well.</param>
    /// <param name="seed">Of what happens at a rate.</param>
    /// <param name="time">The clock.</param>
    internal TrafficPort(string name, int port, TimeSpan service, int seed, TimeProvider time)
    {
        Name = name;
        Service = service;
        _random = new Random(seed);
        _time = time;
        Tally = new Tally(name, time);
        _holder.Bind(new IPEndPoint(IPAddress.Loopback, port));
        Port = ((IPEndPoint)_holder.LocalEndPoint!).Port;
        Open();
    }

    internal string Name { get; }

    internal int Port { get; }

    internal TimeSpan Service { get; }

    internal Tally Tally { get; }

    internal Fault Fault => Volatile.Read(ref _fault);

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>True for this share of the times.</summary>
    internal bool Chance(double rate)
    {
        if (rate is <= 0 or >= 1)
            return rate >= 1;
        lock (_lock)
            return _random.NextDouble() < rate;
    }

    /// <summary>From now on; connections stay unless it refuses.</summary>
    internal void Apply(Fault fault)
    {
        lock (_lock)
        {
            _flapping?.Cancel();
            _flapping?.Dispose();
            _flapping = null;
            Volatile.Write(ref _fault, fault);
            if (fault.Refuse)
                Close();
            else
                Open();
            if (fault.FlapUpMs > 0)
            {
                _flapping = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                _ = FlapAsync(fault, _flapping.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        lock (_lock)
        {
            Close();
            _flapping?.Dispose();
        }

        _holder.Dispose();
        _stopping.Dispose();
    }

    private async Task FlapAsync(Fault fault, CancellationToken ended)
    {
        try
        {
            while (true)
            {
                await Task.Delay(fault.FlapUpMs, ended);
                Turn(Close, ended);
                await Task.Delay(fault.FlapDownMs, ended);
                Turn(Open, ended);
            }
        }
        catch (OperationCanceledException)
        {
            // Another fault, or none: it has said whether to listen.
        }
    }

    private void Turn(Action action, CancellationToken ended)
    {
        lock (_lock)
        {
            ended.ThrowIfCancellationRequested();
            action();
        }
    }

    private void Open()
    {
        lock (_lock)
        {
            if (_listener is not null)
                return;
            _listener = NewSocket();
            _listener.Bind(_holder.LocalEndPoint!);
            _listener.Listen(1024);
            _ = AcceptAsync(_listener);
        }
    }

    private void Close()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
            foreach (var connection in _connections.Keys)
                Conversation.Reset(connection);
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(_stopping.Token);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }

            socket.NoDelay = true;
            lock (_lock)
            {
                if (_listener != listener)
                {
                    Conversation.Reset(socket);
                    return;
                }

                _connections[socket] = true;
            }

            _ = ConverseAsync(socket);
        }
    }

    private async Task ConverseAsync(Socket socket)
    {
        await new Conversation(this, socket).RunAsync(_stopping.Token);
        _connections.TryRemove(socket, out _);
    }

    private static Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        return socket;
    }
}

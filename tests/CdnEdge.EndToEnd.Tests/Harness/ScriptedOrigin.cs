using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>What the origin does with one request.</summary>
internal delegate Task Answer(Exchange exchange);

/// <summary>
/// An HTTP/1.1 origin on a raw socket whose every answer is scripted by the test, in exact bytes where that matters.
/// Keeps connections alive. Paths that nobody scripted are answered 404, not to be stored.
/// </summary>
internal sealed class ScriptedOrigin : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, Resource> _resources = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Exchange> _requests = new();
    private readonly ConcurrentQueue<ExceptionDispatchInfo> _scriptFailures = new();
    private readonly ConcurrentDictionary<Socket, Task> _connections = new();
    private readonly Task _accepting;
    private int _paths;
    private int _disposed;

    internal ScriptedOrigin(int port = 0)
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen(512);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = Accept();
    }

    internal int Port { get; }

    internal string Url => $"http://127.0.0.1:{Port}";

    /// <summary>What paths get that nobody scripted.</summary>
    internal Answer Otherwise { get; set; } = static exchange => exchange.Respond(404, ["Cache-Control: no-store"], "not scripted");

    /// <summary>Every request that arrived, scripted or not.</summary>
    internal IReadOnlyCollection<Exchange> Requests => _requests;

    /// <summary>
    /// A new URL. Its first request is answered by the first script, and so on; the last script answers all that follow.
    /// </summary>
    internal Resource Serves(params Answer[] answers)
    {
        var resource = new Resource($"/{Interlocked.Increment(ref _paths)}", answers);
        _resources[resource.Path] = resource;
        return resource;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        foreach (var socket in _connections.Keys)
            socket.Dispose();
        await Task.WhenAll(_connections.Values);
        _stopping.Dispose();
        if (_scriptFailures.TryDequeue(out var failure))
            failure.Throw();
    }

    private async Task Accept()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stopping.Token);
                socket.NoDelay = true;
                _connections[socket] = Task.CompletedTask;
                _connections[socket] = Task.Run(() => Converse(socket));
            }
            catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Converse(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        var reader = new HttpReader(stream);
        try
        {
            while (await reader.ReadHead() is { } head)
            {
                var exchange = new Exchange(socket, stream, reader, head, _stopping.Token);
                _requests.Enqueue(exchange);
                var path = exchange.Target.Split('?')[0];
                var answer = _resources.TryGetValue(path, out var resource) ? resource.Answer(exchange) : Otherwise(exchange);
                await answer.WaitAsync(_stopping.Token);
                if (exchange.Closed)
                    return;
                await exchange.ReadBody(); // what the script left of it stands before the next request
            }
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or OperationCanceledException or TimeoutException)
        {
            // The edge hung up, or the test is over or failed before it opened a gate: what counts is what the clients saw.
        }
        catch (Exception failure)
        {
            _scriptFailures.Enqueue(ExceptionDispatchInfo.Capture(failure));
        }
    }
}

/// <summary>One URL of the origin and what was asked of it.</summary>
internal sealed class Resource(string path, Answer[] answers)
{
    private readonly ConcurrentQueue<Exchange> _requests = new();
    private int _asked;

    internal string Path => path;

    internal IReadOnlyList<Exchange> Requests => [.. _requests];

    /// <summary>Waits until the origin has got so many requests for it.</summary>
    internal Task Asked(int times) => Deadline.Until(() => _requests.Count >= times, $"{times} requests for {path} at the origin");

    internal Task Answer(Exchange exchange)
    {
        _requests.Enqueue(exchange);
        return answers[Math.Min(Interlocked.Increment(ref _asked), answers.Length) - 1](exchange);
    }
}

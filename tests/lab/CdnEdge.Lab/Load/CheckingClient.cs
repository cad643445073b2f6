using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using CdnEdge.FaultyOrigin;

namespace CdnEdge.Lab.Load;

/// <summary>How a client comes.</summary>
internal enum Protocol
{
    /// <summary>HTTP/1.1 without TLS.</summary>
    Plain,

    /// <summary>HTTP/1.1 over TLS.</summary>
    Tls,

    /// <summary>HTTP/2 over TLS.</summary>
    Http2,
}

/// <summary>Bytes of an object.</summary>
internal readonly record struct Part(long From, long Length);

/// <summary>Asks for objects of the faulty origins and checks every byte.</summary>
internal sealed class CheckingClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _client;
    private readonly Version _version;
    private int _connections;

    /// <param name="protocol">How it comes.</param>
    /// <param name="atMost">Connections at a time.</param>
    internal CheckingClient(Protocol protocol = Protocol.Plain, int atMost = int.MaxValue)
    {
        _version = protocol == Protocol.Http2 ? HttpVersion.Version20 : HttpVersion.Version11;
        _client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = atMost,
            ConnectCallback = ConnectAsync,
            SslOptions = new SslClientAuthenticationOptions
            {
#pragma warning disable CA5359 // The nodes' certificate is the one for development.
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
            },
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Connections that it has made so far.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>A GET to a node; whatever goes wrong stands in the answer.</summary>
    /// <param name="node">Its address.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="number">The object.</param>
    /// <param name="size">Its length.</param>
    /// <param name="part">A range of it; null: all of it.</param>
    internal async Task<Answered> AskAsync(Uri node, string target, long number, int size, Part? part = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, target)) { Version = _version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Host = Topology.Site;
        if (part is { } some)
            request.Headers.Range = new RangeHeaderValue(some.From, some.From + some.Length - 1);
        using var patience = new CancellationTokenSource(Patience);
        HttpResponseMessage? response = null;
        string? error;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            error = await CheckAsync(response, number, size, part, patience.Token);
        }
        catch (OperationCanceledException)
        {
            error = $"nothing more within {Patience.TotalSeconds:0} s";
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            error = (exception.InnerException ?? exception).Message;
        }

        using (response)
        {
            return new Answered(
                (int?)response?.StatusCode ?? 0,
                Field(response, "X-Origin"),
                error,
                Field(response, "Cache-Status"),
                int.TryParse(Field(response, "Age"), NumberStyles.None, CultureInfo.InvariantCulture, out var age) ? age : null,
                Field(response, "Retry-After") is not null && Field(response, "Proxy-Status") is not null);
        }
    }

    public void Dispose() => _client.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // Where it goes to, not whom it asks for: Host is the site's.
            await socket.ConnectAsync(IPAddress.Loopback, context.InitialRequestMessage.RequestUri!.Port, cancellation);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        Interlocked.Increment(ref _connections);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task<string?> CheckAsync(HttpResponseMessage response, long number, int size, Part? part, CancellationToken patience)
    {
        if ((int)response.StatusCode != (part is null ? 200 : 206))
            return $"status {(int)response.StatusCode}{(Field(response, "Proxy-Status") is { } status ? $" ({status})" : "")}";
        var (from, length) = part ?? new Part(0, size);
        if (part is not null && response.Content.Headers.ContentRange is var range && (range?.From, range?.To, range?.Length) != (from, from + length - 1, size))
            return $"Content-Range is {range} for {length} bytes from {from} of {size}";
        await using var body = await response.Content.ReadAsStreamAsync(patience);
        var piece = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var offset = from;
            while (await body.ReadAsync(piece, patience) is > 0 and var count)
            {
                if (!Content.IsAt(piece.AsSpan(0, count), number, 0, offset))
                    return $"other bytes than the origin's after {offset}";
                offset += count;
            }

            return offset == from + length ? null : $"{offset - from} bytes of {length}";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static string? Field(HttpResponseMessage? response, string name) =>
        response is not null && response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}

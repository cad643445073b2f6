using System.IO.Pipelines;
using System.Net;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace CdnEdge.Upstream.Interim;

/// <summary>
/// Writes interim responses to one HTTP/1.1 client, below Kestrel, which has no API for them.
/// </summary>
/// <remarks>
/// <para>
/// Why this is safe. Kestrel's writer of HTTP/1.x responses puts bytes into the connection's transport pipe at three
/// moments only: when the response starts, after that, and for <c>100 Continue</c> when the body of a request that
/// expects it is first read. It awaits the end of one response before it parses the next request. So between the start
/// of a request and the start of its response the pipe is nobody's, if the request has no <c>Expect</c>; and inside TLS
/// the same feature gives the pipe before encryption. What remains is that the final response may not start during a
/// write: <see cref="CloseAsync"/> sees to that, and who starts the response calls it first.
/// </para>
/// <para>
/// Limits. HTTP/2 and HTTP/3 clients get only the final response: there Kestrel alone may write frames. So do clients of
/// HTTP/1.0 (RFC 9110 §15.2 forbids it), requests with <c>Expect</c>, upgrades, and servers other than Kestrel.
/// </para>
/// </remarks>
#pragma warning disable CA1001 // A SemaphoreSlim whose wait handle nobody asks for holds nothing to dispose.
internal sealed class Http1InterimWriter : IInterimResponseSink
#pragma warning restore CA1001
{
    // A client that doesn't read may keep its own exchange waiting for so long, and then gets no interim response more.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly HashSet<string> NotPassed = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "Content-Length",
    };

    private readonly HttpContext _context;
    private readonly PipeWriter _output;
    private readonly SemaphoreSlim _turn = new(1);
    private volatile bool _closed;

    private Http1InterimWriter(HttpContext context, PipeWriter output) => (_context, _output) = (context, output);

    /// <summary>A writer for the request's client, or null where interim responses can't be written.</summary>
    public static Http1InterimWriter? TryCreate(HttpContext context)
    {
        var request = context.Request;
        if (!HttpProtocol.IsHttp11(request.Protocol)
            || request.Headers.Expect.Count > 0
            || request.Headers.Upgrade.Count > 0
            || context.Response.HasStarted)
        {
            return null;
        }

        return context.Features.Get<IConnectionTransportFeature>() is { } transport
            ? new Http1InterimWriter(context, transport.Transport.Output)
            : null;
    }

    /// <summary>
    /// Writes and flushes one interim response. False, and nothing written: the writer is closed, the response has
    /// started, the client is gone, or <paramref name="status"/> isn't one to pass on.
    /// </summary>
    /// <param name="status">102 to 199.</param>
    /// <param name="fields">
    /// Hop-by-hop ones are left out, and so are those whose name is no token or whose value could end its line.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for a slow client; what is written by then stays written whole.</param>
    public async ValueTask<bool> TryWriteAsync(
        int status, IReadOnlyList<KeyValuePair<string, string>> fields, CancellationToken cancellationToken = default)
    {
        if (status is < 102 or > 199) return false;

        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_closed || _context.Response.HasStarted || _context.RequestAborted.IsCancellationRequested) return false;

            // In one piece: another writer never finds half a head.
            var head = Encode(status, fields);
            head.CopyTo(_output.GetSpan(head.Length));
            _output.Advance(head.Length);
            var flushed = await _output.FlushAsync(cancellationToken);
            return !flushed.IsCompleted;
        }
        catch (InvalidOperationException)
        {
            // The pipe was completed: the connection is gone, which Kestrel tells everybody else in its own way.
            return false;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Waits for a write under way and lets no other begin. Whoever starts the final response calls this before.
    /// </summary>
    public async ValueTask CloseAsync()
    {
        await _turn.WaitAsync();
        _closed = true;
        _turn.Release();
    }

    /// <inheritdoc/>
    public async ValueTask OnInterimAsync(int status, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_context.RequestAborted);
        patience.CancelAfter(Patience);
        try
        {
            await TryWriteAsync(status, fields, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // The client left, or doesn't read: the final response will meet the same and say so.
            _closed = true;
        }
    }

    internal static byte[] Encode(int status, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        var reason = ReasonPhrases.GetReasonPhrase(status);
        if (reason.Length == 0) reason = status == (int)HttpStatusCode.EarlyHints ? "Early Hints" : "Interim";

        var connection = fields.Where(static field => field.Key.Equals("Connection", StringComparison.OrdinalIgnoreCase))
            .Select(static field => field.Value).ToArray();
        var nominated = ConnectionOptions.Nominated(connection).ToHashSet(StringComparer.OrdinalIgnoreCase);

        var head = new StringBuilder("HTTP/1.1 ").Append(status).Append(' ').Append(reason).Append("\r\n");
        foreach (var (name, value) in fields)
        {
            if (!Token.IsToken(name) || NotPassed.Contains(name)
                || nominated.Contains(name) || !IsFieldValue(value))
            {
                continue;
            }

            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }

    // RFC 9110 §5.5: visible characters, spaces, tabs and obs-text.
    private static bool IsFieldValue(string value)
    {
        foreach (var c in value)
        {
            if (c is (< ' ' and not '\t') or '\x7f' or > '\xff') return false;
        }

        return true;
    }
}

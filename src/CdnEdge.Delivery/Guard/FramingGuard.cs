using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Requests that two parties could read differently: what is left of them after Kestrel, which already refuses repeated
/// or malformed Content-Length, folded lines, bare CR, white space around names, several or malformed Hosts and,
/// hardened (<see cref="KestrelHardening"/>), bare LF.
/// </summary>
internal static class FramingGuard
{
    /// <summary>Looks at the head. Null: nothing to refuse.</summary>
    public static GuardRefusal? Inspect(HttpContext context)
    {
        var request = context.Request;
        var headers = request.Headers;

        // HTTP/2 and HTTP/3 have frames of their own: a request with fields for others is malformed (RFC 9113 §8.2.2), and
        // Kestrel refuses only Connection and TE.
        if (HttpProtocol.IsHttp2(request.Protocol) || HttpProtocol.IsHttp3(request.Protocol))
        {
            return headers.TransferEncoding.Count > 0 || headers.Upgrade.Count > 0 ? Refuse("A field of HTTP/1.1 alone.")
                : request.Host.HasValue ? null
                : Refuse("The request names no host.");
        }

        if (HttpMethods.IsConnect(request.Method))
            return new GuardRefusal(StatusCodes.Status405MethodNotAllowed, "This is no proxy to tunnel through.", CloseConnection: true);

        if (headers.TransferEncoding is { Count: > 0 } codings)
        {
            // RFC 9112 §6.1: an HTTP/1.0 sender can't mean it.
            if (HttpProtocol.IsHttp10(request.Protocol))
                return Refuse("Transfer-Encoding in a request of HTTP/1.0.");

            // RFC 9112 §6.3: likely an attempt to smuggle a request. Kestrel reads chunks and moves the length away.
            if (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length"))
                return Refuse("Both Transfer-Encoding and Content-Length.");

            // Kestrel takes anything that ends in chunked, but what comes before would stay in the body that is
            // forwarded, no longer announced (RFC 9112 §6.1: 501 for a coding that isn't understood).
            if (codings.Count > 1 || !string.Equals(codings[0], "chunked", StringComparison.OrdinalIgnoreCase))
            {
                return codings.Count == 1 && IsListOfTokens(codings[0])
                    ? new GuardRefusal(StatusCodes.Status501NotImplemented, "A Transfer-Encoding other than chunked.", CloseConnection: true)
                    : Refuse("A malformed Transfer-Encoding.");
            }
        }

        // What follows such a head is a body to one reader and WebSocket frames to another. (Other upgrades, like the h2c
        // that some clients offer with every request, are declined, and their bodies are bodies.)
        if (string.Equals(headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase)
            && (headers.TransferEncoding.Count > 0 || headers.ContentLength > 0))
        {
            return Refuse("A WebSocket handshake with a body.");
        }

        // RFC 9112 §3.2. A request of HTTP/1.0 may have none, and then it has no route either.
        if (!request.Host.HasValue && HttpProtocol.IsHttp11(request.Protocol)) return Refuse("The request names no host.");

        return null;
    }

    /// <summary>Whether its head announces a body.</summary>
    internal static bool MayHaveBody(HttpRequest request) => request.Headers.TransferEncoding.Count > 0 || request.ContentLength > 0;

    /// <summary>
    /// Looks at the beginning of a chunked body, which Kestrel parses only when it's read: a malformed first chunk (a
    /// bare LF in its extension, CVE-2025-55315) is refused before anything is forwarded. One that comes later breaks
    /// off the forwarded request. Nothing is consumed. A request with <c>Expect: 100-continue</c> is let through: to
    /// look would be to invite the body.
    /// </summary>
    public static ValueTask<GuardRefusal?> InspectBodyAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        return HttpProtocol.IsHttp11(context.Request.Protocol) && headers.TransferEncoding.Count > 0 && headers.Expect.Count == 0
            ? PeekAsync(context.Request.BodyReader, context.RequestAborted)
            : default;
    }

    private static async ValueTask<GuardRefusal?> PeekAsync(PipeReader body, CancellationToken aborted)
    {
        try
        {
            var start = await body.ReadAsync(aborted);
            body.AdvanceTo(start.Buffer.Start);
            return null;
        }
        catch (BadHttpRequestException exception)
        {
            return exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? BodyLimit.Refusal
                : new GuardRefusal(exception.StatusCode, "A malformed body.", CloseConnection: true);
        }
        catch (IOException)
        {
            // Kestrel's word for a chunk size beyond what it counts.
            return Refuse("A malformed body.");
        }
    }

    private static GuardRefusal Refuse(string reason) => new(StatusCodes.Status400BadRequest, reason, CloseConnection: true);

    private static bool IsListOfTokens(string? value)
    {
        foreach (var c in value ?? "")
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"-_, \t".Contains(c, StringComparison.Ordinal)) return false;
        }

        // Chunked more than once, or not last, isn't unknown but wrong.
        return value?.IndexOf("chunked", StringComparison.OrdinalIgnoreCase) is { } first
            && first == value.LastIndexOf("chunked", StringComparison.OrdinalIgnoreCase)
            && value.EndsWith("chunked", StringComparison.OrdinalIgnoreCase);
    }
}

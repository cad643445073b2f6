using System.Net;
using CdnEdge.Caching;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Failures;

/// <summary>
/// Responses that SocketsHttpHandler takes and that must not go any further: those whose end two readers could see in
/// different places, and those that are none. What is thrown here, YARP reports as
/// <see cref="Yarp.ReverseProxy.Forwarder.ForwarderError.ResponseHeaders"/>: a 502.
/// </summary>
internal sealed class ResponseFramingTransform : ResponseTransform
{
    /// <summary>IANA's registry of transfer codings, without chunked.</summary>
    private static readonly string[] Codings = ["compress", "deflate", "gzip", "identity", "trailers", "x-compress", "x-gzip"];

    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } response)
            return default;

        // RFC 9110 §15: a status has three digits, the first 1 to 5. Beyond 599 clients take it for a 5xx.
        if ((int)response.StatusCode < 100)
            throw Malformed($"The status {(int)response.StatusCode} is none.");

        // RFC 9110 §7.8: a server doesn't switch to what it wasn't asked for.
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols
            && response.RequestMessage?.Headers.NonValidated.Contains("Upgrade") != true)
        {
            throw Malformed("It switches protocols, which it wasn't asked for.");
        }

        if (response.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings))
        {
            if (!IsReadable(codings.ToString()))
                throw Malformed($"Its Transfer-Encoding is '{codings}'.");
            if (response.Version < HttpVersion.Version11)
                throw Malformed("It has a Transfer-Encoding in HTTP/1.0.");

            // RFC 9112 §6.3: likely an attempt to split the response.
            if (response.Content.Headers.NonValidated.Contains("Content-Length"))
                throw Malformed("It has both Transfer-Encoding and Content-Length.");
        }

        switch (response.StatusCode)
        {
            case HttpStatusCode.NoContent:
                // RFC 9110 §8.6: it has none, whatever it says.
                context.HttpContext.Response.ContentLength = null;
                break;
            case HttpStatusCode.ResetContent:
                // RFC 9110 §15.3.6: no content either, but a length, which is zero.
                context.HttpContext.Response.ContentLength = 0;
                context.SuppressResponseBody = true;
                break;
        }

        return default;
    }

    /// <summary>
    /// RFC 9112 §6.1: the edge asks for no coding but chunked, and what it doesn't decode would pass for the content. A word
    /// that names no coding at all changes nothing of the content, which then ends with the connection (§6.3); some
    /// origins send one.
    /// </summary>
    private static bool IsReadable(string codings) =>
        codings.Equals("chunked", StringComparison.OrdinalIgnoreCase)
        || (Token.IsToken(codings) && !Codings.Contains(codings, StringComparer.OrdinalIgnoreCase));

    private static HttpRequestException Malformed(string how) => new(HttpRequestError.InvalidResponse, "The response is malformed. " + how);
}

using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.HopByHop;

/// <summary>
/// Passes trailers on to a client of HTTP/1.1. YARP copies them wherever the server can send trailers, and Kestrel can
/// over HTTP/2 and HTTP/3 only; over HTTP/1.1 it leaves an application that sets Transfer-Encoding to write the chunks
/// itself. That is done for a response that announces trailers (Trailer) to a client that takes them
/// (<c>TE: trailers</c>; to another they may be left out, RFC 9110 §6.5.1).
/// </summary>
internal sealed class TrailerResponseTransform : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        var http = context.HttpContext;
        if (context.ProxyResponse is not { Content: not null } response || !response.Headers.NonValidated.Contains("Trailer"))
            return default;

        if (http.Features.Get<IHttpResponseTrailersFeature>() is { } trailers)
        {
            if (trailers is IAnnouncedTrailers announced) announced.AreAnnounced = true;
        }
        else if (ChunkedBody.TryBegin(http) is { } chunked)
        {
            http.Features.Set<IHttpResponseTrailersFeature>(chunked);
        }

        return default;
    }
}

/// <summary>A trailer section that wants to know whether the upstream announced one (Trailer): a fill's, to tell its clients.</summary>
internal interface IAnnouncedTrailers
{
    bool AreAnnounced { get; set; }
}

/// <summary>Ends what <see cref="TrailerResponseTransform"/> began, when the whole body and its trailers are there.</summary>
internal sealed class TrailerEndTransform : ResponseTrailersTransform
{
    public override async ValueTask ApplyAsync(ResponseTrailersTransformContext context)
    {
        if (context.HttpContext.Features.Get<IHttpResponseTrailersFeature>() is ChunkedBody chunked)
            await chunked.EndAsync(context.CancellationToken);
    }
}

/// <summary>
/// A response body that writes its own chunks (RFC 9112 §7.1). An exchange that breaks is never ended, so that the
/// client sees it broken.
/// </summary>
internal sealed class ChunkedBody : WriteOnlyStream, IHttpResponseBodyFeature, IHttpResponseTrailersFeature
{
    // What would change the meaning of a message already read (RFC 9110 §6.5.1).
    private static readonly string[] NeverTrailers =
        ["Transfer-Encoding", "Content-Length", "Host", "Trailer", "Connection", "Content-Encoding", "Content-Type", "Content-Range", "TE", "Upgrade", "Keep-Alive"];

    private readonly IHttpResponseBodyFeature _inner;
    private readonly PipeWriter _writer;

    private ChunkedBody(IHttpResponseBodyFeature inner)
    {
        _inner = inner;
        _writer = PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));
    }

    /// <summary>
    /// From here on the context's response body is written in chunks of its own, if its client is of HTTP/1.1 and takes
    /// trailers; null, and nothing changed, if not. The response hasn't started and has its status and fields.
    /// </summary>
    public static ChunkedBody? TryBegin(HttpContext context)
    {
        var response = context.Response;
        if (!HttpProtocol.IsHttp11(context.Request.Protocol)
            || HttpMethods.IsHead(context.Request.Method)
            || response.StatusCode is < 200 or 204 or 205 or 304
            || response.Headers.ContentLength is not null
            || response.HasStarted
            || context.Features.Get<IConnectionTransportFeature>() is null
            || context.Features.Get<IHttpResponseBodyFeature>() is not { } body
            || !TakesTrailers(context.Request.Headers))
        {
            return null;
        }

        var chunked = new ChunkedBody(body);
        context.Features.Set<IHttpResponseBodyFeature>(chunked);
        response.Headers.TransferEncoding = "chunked";
        return chunked;
    }

    public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

    Stream IHttpResponseBodyFeature.Stream => this;

    PipeWriter IHttpResponseBodyFeature.Writer => _writer;

    /// <summary>Writes the last chunk and the trailers.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        var end = new StringBuilder("0\r\n");
        foreach (var (name, values) in Trailers)
        {
            if (NeverTrailers.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
            foreach (var value in values)
            {
                // SocketsHttpHandler has parsed the field; that neither half can end its line is what counts here.
                if (value is not null && !value.AsSpan().ContainsAny('\r', '\n', '\0'))
                    end.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        await _inner.Writer.WriteAsync(Encoding.Latin1.GetBytes(end.Append("\r\n").ToString()), cancellationToken);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // An empty chunk would be the last one.
        if (buffer.IsEmpty) return;

        // One flush for the three.
        var writer = _inner.Writer;
        Encoding.ASCII.GetBytes($"{buffer.Length:x}\r\n", writer);
        writer.Write(buffer.Span);
        writer.Write("\r\n"u8);
        await writer.FlushAsync(cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.Stream.FlushAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken = default) => _inner.StartAsync(cancellationToken);

    public Task CompleteAsync() => _inner.CompleteAsync();

    public void DisableBuffering() => _inner.DisableBuffering();

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken);

    private static bool TakesTrailers(IHeaderDictionary headers) =>
        headers.GetCommaSeparatedValues("TE").Any(static coding =>
            coding.AsSpan(0, coding.IndexOf(';') is >= 0 and var end ? end : coding.Length).Trim()
                .Equals("trailers", StringComparison.OrdinalIgnoreCase));

    // Kestrel doesn't write synchronously, and neither does YARP.
    public override void Flush() => throw new NotSupportedException();
}

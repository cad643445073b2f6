using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace CdnEdge.Tls;

/// <summary>
/// What lies between HTTP and TLS on the way out. Kestrel's own hands TLS 4 KiB at a time (aspnetcore #30545), and every time makes a record
/// and a send of them; a record may have 16 KiB (RFC 8446 §5.1). To be used on an endpoint behind its TLS.
/// </summary>
internal static class TlsOutput
{
    /// <summary>Bytes of a block, which TLS gets in one go: four whole records.</summary>
    internal const int BlockBytes = 64 * 1024;

    /// <summary>How much of HTTP/2 may wait for the client before the streams do: one block is being sent, one is being filled.</summary>
    private const int WaitingBytes = 2 * BlockBytes;

    /// <summary>How long a client may take for what is left when HTTP has ended its connection: as long as for any other write.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static ReadOnlySpan<byte> Http2 => "h2"u8;

    internal static void Use(ListenOptions endpoint, TimeProvider time) => endpoint.Use(next => connection =>
    {
        var tls = connection.Features.GetRequiredFeature<ISslStreamFeature>().SslStream;
        if (connection.Features.GetRequiredFeature<ITlsApplicationProtocolFeature>().ApplicationProtocol.Span.SequenceEqual(Http2))
            return CollectAsync(connection, tls, time, next);

        connection.Transport = new Duplex(
            connection.Transport.Input, PipeWriter.Create(tls, new StreamPipeWriterOptions(minimumBufferSize: BlockBytes, leaveOpen: true)));
        return next(connection);
    });

    /// <summary>
    /// The answers of many streams leave together: the thread pool sends what there is when it has answered those requests that came
    /// together. By itself each answer would be a record and a send, which with small ones is most of their cost.
    /// </summary>
    private static async Task CollectAsync(ConnectionContext connection, SslStream tls, TimeProvider time, ConnectionDelegate next)
    {
        var pipe = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool,
            writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: WaitingBytes,
            resumeWriterThreshold: WaitingBytes / 2,
            minimumSegmentSize: BlockBytes,
            useSynchronizationContext: false));
        connection.Transport = new Duplex(connection.Transport.Input, pipe.Writer);
        var sending = SendAsync(pipe.Reader, tls);
        try
        {
            await next(connection);
        }
        finally
        {
            await pipe.Writer.CompleteAsync();
            using var patience = new CancellationTokenSource(Patience, time);
            using (patience.Token.UnsafeRegister(
                static state => ((ConnectionContext)state!).Abort(new ConnectionAbortedException("The client didn't take the last of its answers.")), connection))
                await sending;
        }
    }

    private static async Task SendAsync(PipeReader collected, Stream tls)
    {
        try
        {
            ReadResult read;
            do
            {
                read = await collected.ReadAsync();
                foreach (var block in read.Buffer)
                    await tls.WriteAsync(block);
                collected.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The client has gone. Kestrel hears of it where it reads, and here because nobody takes what it writes.
        }
        finally
        {
            await collected.CompleteAsync();
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

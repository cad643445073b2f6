using System.IO.Pipelines;
using CdnEdge.Delivery.Serving;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Forwarding;

/// <summary>
/// A response body that passes everything on to the client and shows it to the exchange; nothing where something stored
/// stands in for the answer.
/// </summary>
internal sealed class CopyingBody(IHttpResponseBodyFeature inner, DirectExchange exchange) : IHttpResponseBodyFeature
{
    private CopyingStream? _stream;
    private PipeWriter? _writer;

    public Stream Stream => _stream ??= new CopyingStream(inner.Stream, exchange);

    public PipeWriter Writer => _writer ??= PipeWriter.Create(Stream, new StreamPipeWriterOptions(leaveOpen: true));

    public void DisableBuffering() => inner.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) =>
        exchange.StandIn is null ? inner.StartAsync(cancellationToken) : Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    public async Task CompleteAsync()
    {
        if (_writer is not null)
        {
            await _writer.CompleteAsync();
        }

        if (exchange.StandIn is null)
        {
            await inner.CompleteAsync();
        }
    }

    private sealed class CopyingStream(Stream inner, DirectExchange exchange) : WriteOnlyStream
    {
        private Turn _turn;

        // The exchange first (it decides when the response starts whether to copy): a client that has the whole finds it stored.
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (exchange.StandIn is not null)
            {
                return;
            }

            await exchange.StartAsync(cancellationToken);
            exchange.Copy(buffer.Span);
            await inner.WriteAsync(buffer, cancellationToken);
            if (_turn.IsOverAfter(buffer.Length))
            {
                await Task.Yield();
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) =>
            exchange.StandIn is null ? inner.FlushAsync(cancellationToken) : Task.CompletedTask;

        public override void Flush()
        {
            if (exchange.StandIn is null)
            {
                inner.Flush();
            }
        }
    }
}

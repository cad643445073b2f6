using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Ends HTTP/2 connections whose client only keeps the node busy (<see cref="Http2Budget"/>). To be used on an endpoint behind its
/// TLS, and as the first middleware.
/// </summary>
internal static class Http2FloodGuard
{
    private static ReadOnlySpan<byte> Http2 => "h2"u8;

    internal static void Use(ListenOptions endpoint)
    {
        var time = endpoint.ApplicationServices.GetRequiredService<TimeProvider>();
        var metrics = endpoint.ApplicationServices.GetRequiredService<CacheMetrics>();
        endpoint.Use(next => connection =>
        {
            if (!connection.Features.GetRequiredFeature<ITlsApplicationProtocolFeature>().ApplicationProtocol.Span.SequenceEqual(Http2))
            {
                return next(connection);
            }

            var budget = new Http2Budget(time);
            connection.Features.Set(budget);
            connection.Transport = new Counted(
                new CountedInput(connection.Transport.Input, budget, () =>
                {
                    metrics.Http2Flood();
                    var flood = new ConnectionAbortedException("The client sent more HTTP/2 frames without content than belong to its requests.");
                    connection.Abort(flood);
                    return flood;
                }),
                new CountedOutput(connection.Transport.Output, budget));
            return next(connection);
        });
    }

    /// <summary>Charges requests that the client took back, or made the server break off, before they were answered.</summary>
    internal static void Use(IApplicationBuilder app)
    {
        var http3 = app.ApplicationServices.GetRequiredService<Http3FloodGuard>();
        app.Use(next => context =>
        {
            var request = next(context);

            // What is answered at once can't be taken back any more.
            return request.IsCompletedSuccessfully || HttpProtocol.IsHttp11(context.Request.Protocol) ? request : ChargeAsync(request, context, http3);
        });
    }

    private static async Task ChargeAsync(Task request, HttpContext context, Http3FloodGuard http3)
    {
        try
        {
            await request;
        }
        finally
        {
            if (context.RequestAborted.IsCancellationRequested)
            {
                if (HttpProtocol.IsHttp3(context.Request.Protocol))
                {
                    http3.OnAborted(context.Connection.Id);
                }
                else
                {
                    context.Features.Get<Http2Budget>()?.SpendAborted();
                }
            }
        }
    }

    private sealed record Counted(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class CountedInput(PipeReader inner, Http2Budget budget, Func<Exception> exhausted) : PipeReader
    {
        private Http2FrameScan _scan = new();
        private ReadResult _last;
        private long _scanned;

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            // What wasn't consumed comes again, before what is new.
            _scanned = Math.Max(0, _scanned - _last.Buffer.Slice(0, consumed).Length);
            _last = default;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var reading = inner.ReadAsync(cancellationToken);
            return reading.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Look(reading.Result)) : AwaitAsync(reading);
        }

        public override bool TryRead(out ReadResult result)
        {
            var has = inner.TryRead(out result);
            if (has)
            {
                result = Look(result);
            }

            return has;
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> reading) => Look(await reading);

        private ReadResult Look(ReadResult result)
        {
            _last = result;
            if (result.Buffer.Length > _scanned)
            {
                _scan.Scan(result.Buffer.Slice(_scanned));
                _scanned = result.Buffer.Length;
                budget.Fill(_scan.Requests);
                budget.Spend(_scan.Overhead);
                budget.SpendResets(_scan.Resets);
                if (budget.IsExhausted)
                {
                    // Nothing of it may be acted on any more: what broke the budget may be all in one read.
                    throw exhausted();
                }
            }

            return result;
        }
    }

    private sealed class CountedOutput(PipeWriter inner, Http2Budget budget) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            budget.Sent(bytes);
            inner.Advance(bytes);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            budget.Sent(source.Length);
            return inner.WriteAsync(source, cancellationToken);
        }
    }
}

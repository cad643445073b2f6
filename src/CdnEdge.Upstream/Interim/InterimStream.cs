using Microsoft.Extensions.Logging;

namespace CdnEdge.Upstream.Interim;

/// <summary>
/// The plaintext stream of an HTTP/1.1 connection to an upstream, watched for interim responses: SocketsHttpHandler
/// reads and drops them without telling anyone. Every byte passes unchanged.
/// </summary>
/// <remarks>
/// A connection carries one exchange at a time (HTTP/1.1 pipelining isn't used by SocketsHttpHandler), so what is read
/// after a request was written answers that request. Watching begins with the first write of another scope and ends
/// when the final head begins; from then on a read costs one branch. SocketsHttpHandler reads nothing until a request's
/// body is sent (but for <c>Expect</c>), so the interim responses to an upload are seen after it.
/// </remarks>
internal sealed partial class InterimStream(Stream inner, ILogger logger) : Stream
{
    private readonly InterimHeadParser _parser = new();

    // Written before the request's first byte goes out, read after the first byte of its answer came in.
    private InterimResponses.Scope? _scope;
    private volatile bool _awaiting;

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override bool CanTimeout => inner.CanTimeout;

    public override int ReadTimeout { get => inner.ReadTimeout; set => inner.ReadTimeout = value; }

    public override int WriteTimeout { get => inner.WriteTimeout; set => inner.WriteTimeout = value; }

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        OnWrite();
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        OnWrite();
        return inner.WriteAsync(buffer, offset, count, cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        OnWrite();
        inner.Write(buffer, offset, count);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        OnWrite();
        inner.Write(buffer);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = inner.ReadAsync(buffer, cancellationToken);
        // A read of nothing waits for data without taking any. A pooled connection may have such a read under way from
        // before the request was written, so whether to watch is asked when data is there, not when it's asked for.
        if (buffer.IsEmpty) return reading;
        if (reading.IsCompletedSuccessfully)
        {
            var count = reading.Result;
            return _awaiting ? WatchedAsync(count, buffer) : new ValueTask<int>(count);
        }

        return AwaitedAsync(reading, buffer);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Nothing in YARP reads synchronously; what can't be watched whole isn't watched at all.
    public override int Read(byte[] buffer, int offset, int count)
    {
        _awaiting = false;
        return inner.Read(buffer, offset, count);
    }

    public override int Read(Span<byte> buffer)
    {
        _awaiting = false;
        return inner.Read(buffer);
    }

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private void OnWrite()
    {
        var scope = InterimResponses.Current;
        if (ReferenceEquals(scope, _scope)) return;

        // Another request than the last: its body is written under the same scope and changes nothing.
        _scope = scope;
        _parser.Reset();
        _awaiting = scope is not null;
    }

    private async ValueTask<int> AwaitedAsync(ValueTask<int> reading, Memory<byte> buffer)
    {
        var count = await reading;
        return _awaiting ? await WatchedAsync(count, buffer) : count;
    }

    private ValueTask<int> WatchedAsync(int count, Memory<byte> buffer)
    {
        List<InterimHead>? found = null;
        // Zero bytes: the end of the connection.
        if (count == 0 || !_parser.Advance(buffer.Span[..count], ref found)) _awaiting = false;
        return found is null ? new ValueTask<int>(count) : DeliverAsync(found, _scope, count);
    }

    private async ValueTask<int> DeliverAsync(List<InterimHead> found, InterimResponses.Scope? scope, int count)
    {
        foreach (var head in found)
        {
            // 100 answers the Expect on this hop; SocketsHttpHandler sees it and sends the body.
            if (head.Status == 100 || scope?.Sink is not { } sink) continue;

            try
            {
                await sink.OnInterimAsync(head.Status, head.Fields);
            }
#pragma warning disable CA1031 // An interim response is optional for everybody; the exchange that it belongs to isn't.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.SinkFailed(logger, head.Status, exception);
            }
        }

        return count;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "An interim response ({Status}) could not be passed on.")]
        public static partial void SinkFailed(ILogger logger, int status, Exception exception);
    }
}

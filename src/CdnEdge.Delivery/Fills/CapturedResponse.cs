using System.IO.Pipelines;
using CdnEdge.Delivery.Serving;
using CdnEdge.Upstream.HopByHop;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Fills;

/// <summary>Where a captured response goes.</summary>
internal interface IResponseSink
{
    /// <summary>The head is final. Called once, before the first byte of the body or at the end of an empty one.</summary>
    /// <param name="response">The response.</param>
    /// <param name="bodyFollows">The body's first bytes come in the very next call.</param>
    ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows);

    ValueTask OnBodyAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation);
}

/// <summary>The response side of an HttpContext whose response goes to a sink instead of a client.</summary>
internal sealed class CapturedResponse :
    IHttpResponseFeature, IHttpResponseBodyFeature, IHttpResponseTrailersFeature, IAnnouncedTrailers, IHttpRequestLifetimeFeature, IDisposable
{
    private readonly IResponseSink _sink;
    private readonly CancellationTokenSource _aborted;
    private readonly List<(Func<object, Task> Callback, object State)> _onStarting = [];
    private readonly List<(Func<object, Task> Callback, object State)> _onCompleted = [];
    private readonly BodyStream _stream;
    private PipeWriter? _writer;

    internal CapturedResponse(IResponseSink sink, CancellationToken cancelled, CancellationToken timeout)
    {
        _sink = sink;
        _aborted = CancellationTokenSource.CreateLinkedTokenSource(cancelled, timeout);
        RequestAborted = _aborted.Token;
        _stream = new BodyStream(this);
    }

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

    public bool AreAnnounced { get; set; }

    public bool HasStarted { get; private set; }

    /// <summary>The forwarder gave the response up in the middle.</summary>
    internal bool IsAborted { get; private set; }

    public CancellationToken RequestAborted { get; set; }

    // IHttpResponseFeature's old body property; the body feature's Stream is the one in use.
    public Stream Body
    {
        get => _stream;
        set => throw new NotSupportedException("Replace the IHttpResponseBodyFeature instead.");
    }

    public Stream Stream => _stream;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(_stream, new StreamPipeWriterOptions(leaveOpen: true));

    public void Abort()
    {
        IsAborted = true;
        _aborted.Cancel();
    }

    public void OnStarting(Func<object, Task> callback, object state) => _onStarting.Add((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _onCompleted.Add((callback, state));

    public void DisableBuffering()
    {
        // Nothing is buffered.
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => StartAsync(bodyFollows: false);

    private async Task StartAsync(bool bodyFollows)
    {
        if (HasStarted)
        {
            return;
        }

        // Last registered, first called: as Kestrel does.
        for (var i = _onStarting.Count - 1; i >= 0; i--)
        {
            await _onStarting[i].Callback(_onStarting[i].State);
        }

        HasStarted = true;
        await _sink.OnHeadAsync(this, bodyFollows);
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(_stream, path, offset, count, cancellationToken);

    /// <summary>Ends the response: the head of an empty one is passed on, the writer flushed, callbacks run.</summary>
    public async Task CompleteAsync()
    {
        if (!IsAborted)
        {
            if (_writer is not null)
            {
                await _writer.FlushAsync();
            }

            await StartAsync();
        }

        for (var i = _onCompleted.Count - 1; i >= 0; i--)
        {
            await _onCompleted[i].Callback(_onCompleted[i].State);
        }

        _onCompleted.Clear();
    }

    public void Dispose() => _aborted.Dispose();

    private sealed class BodyStream(CapturedResponse response) : WriteOnlyStream
    {
        private Turn _turn;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!response.HasStarted)
            {
                await response.StartAsync(bodyFollows: !buffer.IsEmpty);
            }

            if (!buffer.IsEmpty)
            {
                await response._sink.OnBodyAsync(buffer, cancellationToken);
                if (_turn.IsOverAfter(buffer.Length))
                {
                    await Task.Yield();
                }
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => response.StartAsync(cancellationToken);

        public override void Flush()
        {
            // Nothing is buffered; a synchronous flush has nothing to wait for.
        }
    }
}

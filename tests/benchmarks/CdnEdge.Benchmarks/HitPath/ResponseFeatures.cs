using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>A response whose bytes are counted and forgotten.</summary>
internal sealed class ResponseFeatures : IHttpResponseFeature, IHttpResponseBodyFeature
{
    private readonly Stack<(Func<object, Task> Callback, object State)> _onStarting = [];
    private readonly Stack<(Func<object, Task> Callback, object State)> _onCompleted = [];
    private readonly ReusedHeaders _headers = new();

    public ResponseFeatures() => Headers = _headers;

    public CountingPipeWriter Body { get; } = new();

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; }

    public bool HasStarted { get; private set; }

    public Stream Stream => Body.AsStream(leaveOpen: true);

    public PipeWriter Writer => Body;

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException("Replaced through IHttpResponseBodyFeature only.");
    }

    public void OnStarting(Func<object, Task> callback, object state) => _onStarting.Push((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _onCompleted.Push((callback, state));

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted) return;
        HasStarted = true;
        while (_onStarting.TryPop(out var registered)) await registered.Callback(registered.State);
    }

    public async Task CompleteAsync()
    {
        await StartAsync();
        while (_onCompleted.TryPop(out var registered)) await registered.Callback(registered.State);
    }

    public void DisableBuffering()
    {
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Nothing stored is a file.");

    public void Reset()
    {
        StatusCode = StatusCodes.Status200OK;
        ReasonPhrase = null;
        HasStarted = false;
        _headers.Clear();
        Headers = _headers;
        Body.Reset();
    }
}

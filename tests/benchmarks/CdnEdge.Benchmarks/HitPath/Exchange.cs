using System.Collections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>
/// The features of one connection, one request after another. What a server provides stays the same objects; what the
/// application adds is forgotten before the next request, so that it pays for it each time, as it does on Kestrel.
/// </summary>
internal abstract class Exchange : IFeatureCollection
{
    private readonly Dictionary<Type, object> _provided;
    private readonly Dictionary<Type, object?> _added = [];
    private readonly RequestFeatures _request;

    protected Exchange(RequestFeatures request)
    {
        _request = request;
        _provided = new Dictionary<Type, object>
        {
            [typeof(IHttpRequestFeature)] = request,
            [typeof(IHttpRequestBodyDetectionFeature)] = request,
            [typeof(IEndpointFeature)] = request,
            [typeof(IRouteValuesFeature)] = request,
            [typeof(IHttpResponseFeature)] = Response,
            [typeof(IHttpResponseBodyFeature)] = Response,
            [typeof(IHttpConnectionFeature)] = new HttpConnectionFeature(),
            [typeof(IHttpRequestLifetimeFeature)] = new HttpRequestLifetimeFeature(),
            [typeof(IHttpRequestIdentifierFeature)] = new HttpRequestIdentifierFeature { TraceIdentifier = "benchmark" },
        };
    }

    public string Path => _request.Path;

    public int StatusCode => Response.StatusCode;

    public long BytesSent => Response.Body.Written;

    public IHeaderDictionary ResponseHeaders => Response.Headers;

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    protected ResponseFeatures Response { get; } = new();

    public object? this[Type key]
    {
        get => _added.TryGetValue(key, out var added) ? added : _provided.GetValueOrDefault(key);
        set
        {
            _added[key] = value;
            Revision++;
        }
    }

    /// <summary>Sends the request; what came is in the properties until the next one.</summary>
    public Task SendAsync()
    {
        if (_added.Count > 0)
        {
            _added.Clear();
            Revision++;
        }

        _request.Reset();
        Response.Reset();
        return ProcessAsync();
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator()
    {
        foreach (var (type, feature) in _added)
        {
            if (feature is not null) yield return new KeyValuePair<Type, object>(type, feature);
        }

        foreach (var provided in _provided)
        {
            if (!_added.ContainsKey(provided.Key)) yield return provided;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    protected abstract Task ProcessAsync();
}

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>A request without a body, the same each time, and where routing notes what it found.</summary>
internal sealed class RequestFeatures : IHttpRequestFeature, IHttpRequestBodyDetectionFeature, IEndpointFeature, IRouteValuesFeature
{
    private readonly string _path;
    private readonly RouteValueDictionary _routeValues = [];

    public RequestFeatures(string method, string path)
    {
        _path = path;
        Method = method;
        RawTarget = path;
        Path = path;
        RouteValues = _routeValues;
        Headers = new ReusedHeaders
        {
            ["Host"] = "www.example.com",
            ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            ["Accept-Language"] = "en-US,en;q=0.5",
            ["Accept-Encoding"] = "gzip, deflate, br, zstd",
        };
    }

    public string Protocol { get; set; } = "HTTP/1.1";

    public string Scheme { get; set; } = "http";

    public string Method { get; set; }

    public string PathBase { get; set; } = "";

    public string Path { get; set; }

    public string QueryString { get; set; } = "";

    public string RawTarget { get; set; }

    public IHeaderDictionary Headers { get; set; }

    public Stream Body { get; set; } = Stream.Null;

    public bool CanHaveBody => false;

    public Endpoint? Endpoint { get; set; }

    public RouteValueDictionary RouteValues { get; set; }

    /// <summary>Undoes what the application may have changed.</summary>
    public void Reset()
    {
        _routeValues.Clear();
        RouteValues = _routeValues;
        Endpoint = null;
        PathBase = "";
        Path = _path;
    }
}

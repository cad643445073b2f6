using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// A copy of a client's request, to ask upstream with after that client may have gone: nothing of the client's
/// HttpContext is touched once it's taken.
/// </summary>
internal sealed class CapturedRequest
{
    private readonly string _scheme;
    private readonly string _protocol;
    private readonly string _rawTarget;
    private readonly string _pathBase;
    private readonly string _path;
    private readonly string _queryString;
    private readonly string _traceIdentifier;
    private readonly HeaderDictionary _headers;
    private readonly IPAddress? _remoteAddress;
    private readonly int _remotePort;
    private readonly IPAddress? _localAddress;
    private readonly int _localPort;
    private readonly string _connectionId;
    private readonly X509Certificate2? _clientCertificate;
    private readonly RouteValueDictionary _routeValues;
    private readonly ClaimsPrincipal _user;
    private readonly KeyValuePair<object, object?>[] _items;
    private readonly PeerRequest? _peer;

    internal CapturedRequest(HttpContext context)
    {
        var request = context.Request;
        var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        _scheme = request.Scheme;
        _protocol = request.Protocol;
        _rawTarget = feature.RawTarget;
        _pathBase = feature.PathBase;
        _path = feature.Path;
        _queryString = feature.QueryString;
        _traceIdentifier = context.TraceIdentifier;
        _user = context.User;
        _peer = context.Features.Get<PeerRequest>();
        HasTimeout = context.Features.Get<IHttpRequestTimeoutFeature>() is not null;
        _routeValues = new RouteValueDictionary(request.RouteValues);
        _items = context.Items.Count == 0 ? [] : [.. context.Items];

        _headers = new HeaderDictionary(request.Headers.Count);
        foreach (var (name, value) in request.Headers)
        {
            _headers[name] = value;
        }

        var connection = context.Connection;
        _remoteAddress = connection.RemoteIpAddress;
        _remotePort = connection.RemotePort;
        _localAddress = connection.LocalIpAddress;
        _localPort = connection.LocalPort;
        _connectionId = connection.Id;
        _clientCertificate = request.IsHttps ? CertificateOf(connection) : null;
    }

    // Of a connection that has just ended Kestrel can't tell any more. Others may wait for the fill by now: it goes on without.
    private static X509Certificate2? CertificateOf(ConnectionInfo connection)
    {
        try
        {
            return connection.ClientCertificate;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>ASP.NET's middleware has set a timeout for the client's request.</summary>
    internal bool HasTimeout { get; }

    /// <summary>The request's fields as the client sent them.</summary>
    internal IHeaderDictionary Headers => _headers;

    /// <summary>The same; null if another node sent them.</summary>
    internal IHeaderDictionary? VisitorHeaders => _peer is null ? _headers : null;

    /// <summary>A new context for one exchange with upstream: a GET with the plan's conditions in place of the client's.</summary>
    internal HttpContext CreateContext(
        FillPlan plan, Endpoint? endpoint, IServiceProvider services, CapturedResponse response, IHttpRequestTimeoutFeature? timeout)
    {
        var headers = new HeaderDictionary(_headers.Count + 2);
        foreach (var (name, value) in _headers)
        {
            headers[name] = value;
        }

        ReplaceConditions(headers, plan);

        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = HttpMethods.Get,
            Scheme = _scheme,
            Protocol = _protocol,
            RawTarget = _rawTarget,
            PathBase = _pathBase,
            Path = _path,
            QueryString = _queryString,
            Headers = headers,
            Body = Stream.Null,
        });
        features.Set<IHttpRequestBodyDetectionFeature>(NoRequestBody.Instance);
        features.Set<IHttpRequestIdentifierFeature>(new HttpRequestIdentifierFeature { TraceIdentifier = _traceIdentifier });
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature
        {
            ConnectionId = _connectionId,
            RemoteIpAddress = _remoteAddress,
            RemotePort = _remotePort,
            LocalIpAddress = _localAddress,
            LocalPort = _localPort,
        });
        if (_clientCertificate is not null)
        {
            features.Set<ITlsConnectionFeature>(new TlsConnectionFeature { ClientCertificate = _clientCertificate });
        }

        if (timeout is not null)
        {
            features.Set(timeout);
        }

        features.Set(_peer);
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(response);
        features.Set<IHttpResponseTrailersFeature>(response);
        features.Set<IHttpRequestLifetimeFeature>(response);

        var context = new DefaultHttpContext(features) { RequestServices = services, User = _user };
        context.Request.RouteValues = new RouteValueDictionary(_routeValues);
        foreach (var (key, value) in _items)
        {
            context.Items[key] = value;
        }

        context.SetEndpoint(endpoint);
        return context;
    }

    /// <summary>
    /// A fill's answer is for everybody: the first client's own conditions and range are evaluated against it later, and
    /// don't go upstream.
    /// </summary>
    private static void ReplaceConditions(IHeaderDictionary headers, FillPlan plan)
    {
        headers.IfMatch = default;
        headers.IfNoneMatch = default;
        headers.IfModifiedSince = default;
        headers.IfUnmodifiedSince = default;
        headers.IfRange = default;
        headers.Range = default;

        if (plan is { Kind: FillKind.Resume, Validator: { } validator })
        {
            headers.Range = $"bytes={plan.Missing.Offset}-";
            headers.IfRange = validator.Text;
            return;
        }

        if (plan.Stored is not { Head: var head })
        {
            return;
        }

        switch (plan.Kind)
        {
            case FillKind.Revalidate:
                // RFC 9111 §4.3.1: both validators where there are both.
                if (head.ETag is { } etag)
                {
                    headers.IfNoneMatch = etag.Text;
                }

                if (head.LastModified is not null)
                {
                    headers.IfModifiedSince = head.Field("Last-Modified");
                }

                break;

            case FillKind.Complete:
                headers.Range = plan.Missing.End == plan.Stored.Body!.Length
                    ? $"bytes={plan.Missing.Offset}-"
                    : $"bytes={plan.Missing.Offset}-{plan.Missing.End - 1}";
                if (head.ETag is { IsWeak: false } strong)
                {
                    headers.IfRange = strong.Text;
                }

                break;

            case FillKind.Plain:
            case FillKind.Resume:
            default:
                break;
        }
    }

    private sealed class NoRequestBody : IHttpRequestBodyDetectionFeature
    {
        internal static readonly NoRequestBody Instance = new();

        public bool CanHaveBody => false;
    }
}

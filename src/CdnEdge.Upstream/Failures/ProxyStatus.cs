using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Upstream.Failures;

/// <summary>
/// What went wrong with an upstream, in the words of Proxy-Status (RFC 9209 §2.3). The words are all fixed: a client
/// never reads an address or an exception's message here.
/// </summary>
/// <param name="Error">The error type's token.</param>
/// <param name="Details">What to add for a human.</param>
/// <param name="StatusCode">The status that RFC 9209 recommends for the error's response.</param>
internal readonly record struct ProxyStatus(string Error, string Details, int StatusCode)
{
    /// <summary>The field's name.</summary>
    public const string Field = "Proxy-Status";

    /// <summary>A request that has been through this node before (508, see <see cref="Loops.CdnLoop"/>).</summary>
    public static ProxyStatus LoopDetected { get; } = new("proxy_loop_detected", "the request has been through this node before", 508);

    /// <summary>A response that came to its end without being whole, or wasn't waited for.</summary>
    public static ProxyStatus Incomplete { get; } = new("http_response_incomplete", "the upstream's response ended before its end", 502);

    /// <summary>A response that was not waited for any longer.</summary>
    public static ProxyStatus ResponseTimeout { get; } = new("http_response_timeout", "no response from the upstream in time", 504);

    /// <summary>A response with more than one length, or one that is no number.</summary>
    public static ProxyStatus AmbiguousLength { get; } = new("http_protocol_error", "the upstream's response has an ambiguous length", 502);

    /// <summary>No connection in time.</summary>
    public static ProxyStatus ConnectionTimeout { get; } = new("connection_timeout", "no connection to the upstream in time", 504);

    /// <summary>A destination isn't asked: its circuit breaker is open.</summary>
    public static ProxyStatus Broken { get; } = new("destination_unavailable", "the upstream has failed too often and isn't asked now", 503);

    /// <summary>A destination has as many requests as it may have, and as many wait.</summary>
    public static ProxyStatus Overloaded { get; } = new("connection_limit_reached", "the upstream has as many requests as it may have", 503);

    /// <summary>A destination answered with a status that counts as a failure.</summary>
    public static ProxyStatus ErrorStatus { get; } = new("http_request_error", "the upstream answered with an error", 502);

    /// <summary>What answered in place of a node of this CDN isn't one, or can't be believed.</summary>
    public static ProxyStatus NoPeer { get; } = new("http_protocol_error", "the answer isn't one of a node of this network", 502);

    /// <summary>Nobody is left to be asked.</summary>
    public static ProxyStatus NobodyLeft { get; } = new("destination_unavailable", "no upstream is available", 503);

    /// <summary>A fault of this node's own.</summary>
    public static ProxyStatus InternalError { get; } = new("proxy_internal_error", "the request could not be forwarded", 500);

    /// <summary>Those that were asked in vain, in order; empty where that isn't told apart.</summary>
    public IReadOnlyList<FailedHop> Hops { get; init; } = [];

    /// <summary>When it's worth another try, as far as is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// What YARP's pipeline left in the context: null if nothing failed. A request that was called off (the client left)
    /// counts as <see cref="Incomplete"/>: nobody is there to be told, but nothing may pass for whole either.
    /// </summary>
    public static ProxyStatus? Of(HttpContext context) =>
        context.Features.Get<IForwarderErrorFeature>() is { } error ? From(error.Error, error.Exception) ?? Incomplete : null;

    /// <summary>
    /// Reads YARP's verdict (<see cref="IForwarderErrorFeature"/>). Null: nothing failed, or it was the client who left.
    /// </summary>
    public static ProxyStatus? From(ForwarderError error, Exception? exception) => error switch
    {
        ForwarderError.Request or ForwarderError.RequestBodyDestination when First<UpstreamFailedException>(exception) is { } failed => failed.Failure,

        ForwarderError.None => null,

        ForwarderError.NoAvailableDestinations => NobodyLeft,
        ForwarderError.RequestCreation =>
            new("proxy_internal_error", "the request could not be prepared for the upstream", 500),
        ForwarderError.RequestTimedOut => exception?.InnerException is TimeoutException ? ConnectionTimeout : ResponseTimeout,
        ForwarderError.Request => BeforeResponse(exception),
        ForwarderError.RequestBodyDestination => BeforeResponse(exception),

        ForwarderError.ResponseHeaders =>
            new("http_protocol_error", "the upstream's response can't be passed on", 502),
        ForwarderError.ResponseBodyDestination => InResponse(exception),

        ForwarderError.RequestBodyClient => First<BadHttpRequestException>(exception) is { StatusCode: StatusCodes.Status413PayloadTooLarge }
            ? new("http_request_error", "the request's body is larger than is taken here", 413)
            : new("http_request_error", "the request's body did not arrive whole", 400),

        ForwarderError.UpgradeRequestDestination or ForwarderError.UpgradeResponseDestination =>
            new("connection_terminated", "the upstream ended the upgraded connection", 502),
        ForwarderError.UpgradeActivityTimeout =>
            new("connection_read_timeout", "the upgraded connection was idle for too long", 504),

        // The client left, or a fill was called off: nobody is there to be told.
        _ => null,
    };

    /// <summary>What the node <paramref name="name"/> appends to Proxy-Status: a member, or one for each hop that failed.</summary>
    public string ToField(string name)
    {
        var field = new StringBuilder();
        foreach (var hop in Hops)
        {
            if (field.Length > 0)
                field.Append(", ");
            hop.AppendTo(field, name);
        }

        if (field.Length > 0)
            return field.ToString();
        StructuredField.AppendTokenOrString(field, name);
        return field.Append("; error=").Append(Error).Append("; details=\"").Append(Details).Append('"').ToString();
    }

    /// <summary>A failure before the response's head, by the exception of .NET's client.</summary>
    internal static ProxyStatus BeforeResponse(Exception? exception)
    {
        var socketError = First<SocketException>(exception)?.SocketErrorCode;
        return First<HttpRequestException>(exception)?.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => socketError is SocketError.TryAgain or SocketError.TimedOut
                ? new("dns_timeout", "the upstream's name could not be resolved in time", 504)
                : new("dns_error", "the upstream's name could not be resolved", 502),
            HttpRequestError.ConnectionError => Connecting(socketError),
            HttpRequestError.SecureConnectionError => Securing(exception),
            HttpRequestError.ConfigurationLimitExceeded =>
                new("http_response_header_section_size", "the upstream's response has too large a head", 502),
            HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError =>
                new("http_protocol_error", "the upstream's response is malformed", 502),
            HttpRequestError.ResponseEnded =>
                new("connection_terminated", "the upstream closed the connection before a response", 502),
            HttpRequestError.VersionNegotiationError or HttpRequestError.ExtendedConnectNotSupported =>
                new("http_protocol_error", "the upstream does not speak the HTTP version asked for", 502),
            HttpRequestError.ProxyTunnelError =>
                new("destination_unavailable", "the upstream could not be reached through the configured proxy", 503),
            HttpRequestError.UserAuthenticationError =>
                new("proxy_configuration_error", "the upstream refused this node's credentials", 500),
            _ when First<OperationCanceledException>(exception) is not null =>
                ResponseTimeout,
            _ when socketError is not null || First<IOException>(exception) is not null =>
                new("connection_terminated", "the connection to the upstream broke before a response", 502),
            // YARP tells .NET's client nothing of a body that the connection took no more of; that misses the rest of it, and says so.
            HttpRequestError.Unknown when First<HttpRequestException>(exception)?.InnerException is null =>
                new("connection_terminated", "the upstream closed the connection within the request's body", 502),
            _ => InternalError,
        };
    }

    private static ProxyStatus Connecting(SocketError? error) => error switch
    {
        SocketError.ConnectionRefused => new("connection_refused", "the upstream refused the connection", 502),
        SocketError.TimedOut => ConnectionTimeout,
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown =>
            new("connection_terminated", "the upstream broke the connection", 502),
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.HostDown
            or SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported =>
            new("destination_ip_unroutable", "there is no route to the upstream", 502),
        SocketError.AccessDenied => new("destination_ip_prohibited", "connecting to the upstream is prohibited", 502),
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.ProcessLimit =>
            new("connection_limit_reached", "this node has no connection left to give", 503),
        _ => new("destination_unavailable", "the upstream could not be connected to", 503),
    };

    private static ProxyStatus Securing(Exception? exception)
    {
        // .NET tells apart only in words why a handshake failed; the words don't leave this method.
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is AuthenticationException && inner.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase))
                return new("tls_certificate_error", "the upstream's certificate was not accepted", 502);
            if (inner.Message.Contains("alert", StringComparison.OrdinalIgnoreCase))
                return new("tls_alert_received", "the upstream broke off the TLS handshake", 502);
        }

        return new("tls_protocol_error", "no TLS session with the upstream", 502);
    }

    private static ProxyStatus InResponse(Exception? exception)
    {
        if (First<OperationCanceledException>(exception) is not null || First<TimeoutException>(exception) is not null)
            return new("connection_read_timeout", "the upstream's response stopped in its middle", 504);

        return First<HttpIOException>(exception)?.HttpRequestError switch
        {
            HttpRequestError.ResponseEnded =>
                new("http_response_incomplete", "the upstream's response ended before its end", 502),
            HttpRequestError.InvalidResponse =>
                new("http_response_transfer_coding", "the upstream's response has a malformed chunk", 502),
            HttpRequestError.ConfigurationLimitExceeded =>
                new("http_response_trailer_section_size", "the upstream's response has too large a trailer section", 502),
            HttpRequestError.HttpProtocolError =>
                new("http_protocol_error", "the upstream reset the response", 502),
            _ => new("http_response_incomplete", "the connection to the upstream broke within its response", 502),
        };
    }

    /// <summary>The outermost exception of that type in a chain of them.</summary>
    internal static T? First<T>(Exception? exception)
        where T : Exception => exception switch
        {
            null => null,
            T found => found,
            AggregateException aggregate => aggregate.InnerExceptions.Select(First<T>).FirstOrDefault(static e => e is not null),
            _ => First<T>(exception.InnerException),
        };
}

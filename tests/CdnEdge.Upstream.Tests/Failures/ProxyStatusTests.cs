using System.Net.Sockets;
using System.Security.Authentication;
using CdnEdge.Upstream.Failures;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Upstream.Tests.Failures;

public class ProxyStatusTests
{
    public static TheoryData<ForwarderError, Exception?, string?, int> Verdicts => new()
    {
        { ForwarderError.None, null, null, 0 },
        { ForwarderError.RequestCanceled, new OperationCanceledException(), null, 0 },
        { ForwarderError.ResponseBodyClient, new IOException(), null, 0 },
        { ForwarderError.NoAvailableDestinations, null, "destination_unavailable", 503 },
        { ForwarderError.RequestCreation, new NotSupportedException(), "proxy_internal_error", 500 },
        { ForwarderError.RequestTimedOut, new TaskCanceledException(), "http_response_timeout", 504 },
        { ForwarderError.RequestTimedOut, new TaskCanceledException("", new TimeoutException()), "connection_timeout", 504 },
        { ForwarderError.Request, null, "proxy_internal_error", 500 },
        { ForwarderError.Request, new IOException(), "connection_terminated", 502 },
        { ForwarderError.Request, Http(HttpRequestError.NameResolutionError, SocketError.HostNotFound), "dns_error", 502 },
        { ForwarderError.Request, Http(HttpRequestError.NameResolutionError, SocketError.TryAgain), "dns_timeout", 504 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.ConnectionRefused), "connection_refused", 502 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.TimedOut), "connection_timeout", 504 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.NetworkUnreachable), "destination_ip_unroutable", 502 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.HostUnreachable), "destination_ip_unroutable", 502 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.TooManyOpenSockets), "connection_limit_reached", 503 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.AccessDenied), "destination_ip_prohibited", 502 },
        { ForwarderError.Request, Http(HttpRequestError.ConnectionError, SocketError.SocketError), "destination_unavailable", 503 },
        { ForwarderError.Request, Tls("The remote certificate is invalid"), "tls_certificate_error", 502 },
        { ForwarderError.Request, Tls("ssl/tls alert handshake failure"), "tls_alert_received", 502 },
        { ForwarderError.Request, Tls("frame"), "tls_protocol_error", 502 },
        { ForwarderError.Request, Http(HttpRequestError.ResponseEnded), "connection_terminated", 502 },
        { ForwarderError.Request, Http(HttpRequestError.InvalidResponse), "http_protocol_error", 502 },
        { ForwarderError.Request, Http(HttpRequestError.HttpProtocolError), "http_protocol_error", 502 },
        { ForwarderError.Request, Http(HttpRequestError.VersionNegotiationError), "http_protocol_error", 502 },
        { ForwarderError.Request, Http(HttpRequestError.ConfigurationLimitExceeded), "http_response_header_section_size", 502 },
        { ForwarderError.Request, new HttpRequestException("Sent 3 request content bytes, but Content-Length promised 10."), "connection_terminated", 502 },
        { ForwarderError.Request, new InvalidOperationException(), "proxy_internal_error", 500 },
        { ForwarderError.RequestBodyClient, new IOException(), "http_request_error", 400 },
        { ForwarderError.RequestBodyDestination, new AggregateException(new IOException(), Http(HttpRequestError.ResponseEnded)), "connection_terminated", 502 },
        { ForwarderError.ResponseHeaders, new InvalidOperationException(), "http_protocol_error", 502 },
        { ForwarderError.ResponseBodyDestination, new HttpIOException(HttpRequestError.ResponseEnded), "http_response_incomplete", 502 },
        { ForwarderError.ResponseBodyDestination, new HttpIOException(HttpRequestError.InvalidResponse), "http_response_transfer_coding", 502 },
        { ForwarderError.ResponseBodyDestination, new IOException("", new SocketException((int)SocketError.ConnectionReset)), "http_response_incomplete", 502 },
        { ForwarderError.ResponseBodyDestination, new OperationCanceledException(), "connection_read_timeout", 504 },
        { ForwarderError.UpgradeActivityTimeout, new OperationCanceledException(), "connection_read_timeout", 504 },
    };

    [Theory]
    [MemberData(nameof(Verdicts), DisableDiscoveryEnumeration = true)]
    public void Yarps_verdict_has_a_word_and_a_status(ForwarderError error, Exception? exception, string? expected, int status)
    {
        var verdict = ProxyStatus.From(error, exception);
        Assert.Equal(expected, verdict?.Error);
        Assert.Equal(status, verdict?.StatusCode ?? 0);
    }

    [Fact]
    public void Every_error_of_YARP_is_answered_without_the_exceptions_words()
    {
        foreach (var error in Enum.GetValues<ForwarderError>())
        {
            var verdict = ProxyStatus.From(error, new HttpRequestException("secret 10.0.0.1", new SocketException(111, "secret 10.0.0.1")));
            Assert.DoesNotContain("secret", verdict?.ToField("edge") ?? "");
        }
    }

    [Theory]
    [InlineData("edge", "edge; error=proxy_loop_detected; details=\"the request has been through this node before\"")]
    [InlineData("1\"a", "\"1\\\"a\"; error=proxy_loop_detected; details=\"the request has been through this node before\"")]
    public void The_field_is_structured(string name, string expected) =>
        Assert.Equal(expected, ProxyStatus.LoopDetected.ToField(name));

    private static HttpRequestException Http(HttpRequestError error, SocketError? socket = null) =>
        new(error, "secret", socket is { } code ? new SocketException((int)code) : null);

    private static HttpRequestException Tls(string message) =>
        new(HttpRequestError.SecureConnectionError, "The SSL connection could not be established", new AuthenticationException(message));
}

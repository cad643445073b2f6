using CdnEdge.Upstream.Failures;

namespace CdnEdge.Upstream.Calls;

/// <summary>.NET's way to say that a WebSocket over HTTP/2 isn't to be had at a server: YARP asks it over HTTP/1.1 then, so that it has to get to see this.</summary>
internal static class Downgrade
{
    /// <summary>The exception that says so; null where it's another.</summary>
    internal static HttpRequestException? AskedFor(Exception? exception) =>
        ProxyStatus.First<HttpRequestException>(exception) is { } failed
        && (failed.Data.Contains("SETTINGS_ENABLE_CONNECT_PROTOCOL") || failed.Data.Contains("HTTP2_ENABLED"))
            ? failed
            : null;
}

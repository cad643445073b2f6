using System.Net;
using System.Net.Sockets;

namespace CdnEdge.Control;

/// <summary>Connections of the node to itself, where it serves traffic: whatever a URL's host is, this node is asked for it.</summary>
/// <param name="addresses">The addresses that serve traffic, as Kestrel names them.</param>
internal sealed class OwnTraffic(Func<IEnumerable<string>> addresses)
{
    /// <summary>A client that only ever connects to this node. Its requests have no deadline of their own.</summary>
    /// <param name="concurrency">Connections at a time for one host.</param>
    internal HttpClient Client(int concurrency) => new(new SocketsHttpHandler
    {
        ConnectCallback = ConnectAsync,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        MaxConnectionsPerServer = concurrency,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    // Keys know no scheme, and the connection is this node's own: https would be plain here, too.
    internal static HttpRequestMessage Request(Uri url) => new(
        HttpMethod.Get,
        PurgeUrl.Verbatim($"http://{url.Authority}{url.PathAndQuery}"));

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var address = addresses().Select(static url => new Uri(url)).FirstOrDefault(static url => url.Scheme == "http")
            ?? throw new HttpRequestException("the node serves no plain HTTP");
        SocketException? failure = null;
        foreach (var host in HostsOf(address))
        {
            var socket = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(host, address.Port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception e)
            {
                socket.Dispose();
                if (e is not SocketException refused)
                    throw;
                failure = refused;
            }
        }

        throw failure!;
    }

    // [::] takes IPv4 as well, and not every container has ::1 though it has IPv6; localhost may be either or both.
    private static IPAddress[] HostsOf(Uri address) => address.Host switch
    {
        "0.0.0.0" => [IPAddress.Loopback],
        "[::]" or "localhost" => [IPAddress.Loopback, IPAddress.IPv6Loopback],
        var host => [IPAddress.Parse(host)],
    };
}

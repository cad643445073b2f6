using System.Text;
using CdnEdge.Configuration;
using CdnEdge.Delivery.Guard;
using CdnEdge.Security;
using CdnEdge.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CdnEdge.Hosting;

/// <summary>Kestrel as an edge wants it: bounded where a client could hold resources, unbounded where data only streams.</summary>
internal static class KestrelSetup
{
    /// <param name="kestrel">Kestrel's options.</param>
    /// <param name="reviewed">The configuration.</param>
    internal static void Configure(KestrelServerOptions kestrel, ReviewedConfiguration reviewed)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;

        // A proxy hands on the octets of a field value as they are (RFC 9110 §5.5: obs-text is opaque), which Latin-1 does.
        kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;

        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = null; // uploads stream through; the origin says how much is too much
        limits.MaxRequestLineSize = 16 * 1024; // RFC 9112 §3 recommends 8000 octets at least
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestHeaderCount = 100;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130); // longer than load balancers in front keep theirs, so that they close first
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 100, gracePeriod: TimeSpan.FromSeconds(10));

        // What is written must be taken within the grace period, each time anew. With a real rate every byte that was taken
        // fast earns time to stall later: Kestrel's 240 bytes a second let who has read 10 MiB hold the rest for half a day.
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: double.MaxValue, gracePeriod: TimeSpan.FromSeconds(30));

        foreach (var address in reviewed.Listen)
            address.AddTo(kestrel, endpoint => Configure(endpoint, address, reviewed));
    }

    private static void Configure(ListenOptions endpoint, ListenAddress address, ReviewedConfiguration reviewed)
    {
        // Without TLS there's no negotiation; HTTP/2 in cleartext would need prior knowledge of every client.
        endpoint.Protocols = !address.IsTls ? HttpProtocols.Http1
            : reviewed.ServesHttp3On(address) ? HttpProtocols.Http1AndHttp2AndHttp3
            : HttpProtocols.Http1AndHttp2;
        endpoint.DisableAltSvcHeader = true; // Kestrel's names this node's port, which visitors may know by another, and never goes away.
        if (ConnectionLimits.IsNeeded(reviewed.Limits))
        {
            var connections = endpoint.ApplicationServices.GetRequiredService<ConnectionLimits>();
            endpoint.Use(connections.Limit);
            ((IMultiplexedConnectionBuilder)endpoint).Use(connections.Limit);
        }

        if (!address.IsTls)
            return;
        endpoint.ApplicationServices.GetRequiredService<TlsHandshake>().AddTo(endpoint);
        TlsOutput.Use(endpoint, endpoint.ApplicationServices.GetRequiredService<TimeProvider>());
        Http2FloodGuard.Use(endpoint);
        ((IMultiplexedConnectionBuilder)endpoint).Use(endpoint.ApplicationServices.GetRequiredService<Http3FloodGuard>().Guard);
    }
}

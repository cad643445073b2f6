using System.Net;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Upstream.Forwarded;

/// <summary>Who sent a request, and over what, as far as the proxies in front of this node can be believed.</summary>
/// <remarks>
/// Over QUIC a client can move to another address while its connection lasts; Kestrel goes on naming the one that it came from
/// (dotnet/aspnetcore #68761). What is decided by the address is decided by that one.
/// </remarks>
internal sealed class Visitors(AddressList trustedProxies)
{
    /// <summary>
    /// The address of the client: of the connection, or where that is a trusted proxy's, the last in X-Forwarded-For that isn't one's. Null: a
    /// connection without an address (a Unix socket).
    /// </summary>
    internal IPAddress? AddressOf(HttpContext context)
    {
        var peer = context.Connection.RemoteIpAddress;
        if (peer is null || !trustedProxies.Contains(peer))
            return peer is null ? null : AddressList.Unmapped(peer);

        var last = AddressList.Unmapped(peer);
        var lines = context.Request.Headers["X-Forwarded-For"];
        for (var i = lines.Count - 1; i >= 0; i--)
        {
            var items = (lines[i] ?? "").Split(',');
            for (var j = items.Length - 1; j >= 0; j--)
            {
                if (Parse(items[j].AsSpan().Trim()) is not { } address)
                    return last; // Who wrote that isn't to be believed about what stands before it.
                last = address;
                if (!trustedProxies.Contains(address))
                    return last;
            }
        }

        return last;
    }

    /// <summary>The client's own connection is https: this one, or that of the trusted proxy in front (X-Forwarded-Proto).</summary>
    internal bool IsHttps(HttpContext context) =>
        context.Request.IsHttps
        || (trustedProxies.Contains(context.Connection.RemoteIpAddress)
            && string.Equals(context.Request.Headers["X-Forwarded-Proto"].ToString(), "https", StringComparison.OrdinalIgnoreCase));

    private static IPAddress? Parse(ReadOnlySpan<char> item)
    {
        if (IPAddress.TryParse(item, out var address))
            return AddressList.Unmapped(address);
        return IPEndPoint.TryParse(item, out var endPoint) ? AddressList.Unmapped(endPoint.Address) : null;
    }
}

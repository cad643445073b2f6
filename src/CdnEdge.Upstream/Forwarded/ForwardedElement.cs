using System.Net;
using System.Net.Sockets;
using System.Text;
using CdnEdge.Caching;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Upstream.Forwarded;

/// <summary>Writes elements of Forwarded (RFC 7239 §4).</summary>
internal static class ForwardedElement
{
    /// <summary>
    /// <c>for=…;host=…;proto=…</c>; <c>by</c> is left out, an edge's own address being nobody's business.
    /// </summary>
    public static string Create(IPAddress? peer, string? host, string? scheme)
    {
        var element = new StringBuilder("for=").Append(Node(peer));
        if (!string.IsNullOrEmpty(host)) element.Append(";host=").Append(Value(host));
        if (!string.IsNullOrEmpty(scheme)) element.Append(";proto=").Append(Value(scheme));
        return element.ToString();
    }

    /// <summary>
    /// A chain known only from X-Forwarded-For as elements of Forwarded (RFC 7239 §7.4), or null if there's none.
    /// </summary>
    public static string? FromXForwardedFor(StringValues lines)
    {
        var elements = new StringBuilder();
        foreach (var line in lines)
        {
            foreach (var item in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (elements.Length > 0) elements.Append(", ");
                elements.Append("for=").Append(Node(ParseNode(item)));
            }
        }

        return elements.Length == 0 ? null : elements.ToString();
    }

    // An IPv6 address is bracketed, and the brackets need quotes (RFC 7239 §6).
    private static string Node(IPAddress? address)
    {
        if (address is null) return "unknown";

        address = AddressList.Unmapped(address);
        if (address.AddressFamily == AddressFamily.InterNetwork) return address.ToString();

        // A zone means something on this machine only.
        if (address.ScopeId != 0) address = new IPAddress(address.GetAddressBytes());
        return $"\"[{address}]\"";
    }

    private static IPAddress? ParseNode(string item) =>
        IPAddress.TryParse(item, out var address) ? address
        : IPEndPoint.TryParse(item, out var endPoint) ? endPoint.Address
        : null;

    // A token stands as it is, anything else (a host with its port) as a quoted-string.
    private static string Value(string text) => Token.IsToken(text)
        ? text
        : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace CdnEdge.Security;

/// <summary>The client that an address counts for: an IPv4 address, or a network of IPv6 addresses.</summary>
internal readonly record struct ClientNetwork(UInt128 Bits)
{
    /// <param name="address">The address; null: that of nobody in particular.</param>
    /// <param name="ipv6Prefix">So many bits of an IPv6 address count.</param>
    internal static ClientNetwork Of(IPAddress? address, int ipv6Prefix)
    {
        if (address is null)
            return default;
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6)
        {
            // As RFC 4291 §2.5.5.2 maps it, so that none is taken for a network of IPv6.
            address.MapToIPv6().TryWriteBytes(bytes, out _);
            return new ClientNetwork(BinaryPrimitives.ReadUInt128BigEndian(bytes));
        }

        address.TryWriteBytes(bytes, out _);
        var shift = 128 - ipv6Prefix;
        return new ClientNetwork(BinaryPrimitives.ReadUInt128BigEndian(bytes) >> shift << shift);
    }
}

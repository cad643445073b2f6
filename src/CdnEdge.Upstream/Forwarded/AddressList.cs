using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CdnEdge.Upstream.Forwarded;

/// <summary>Addresses and networks that a configuration names: proxies whose word is believed, clients that may do something.</summary>
internal sealed class AddressList
{
    private readonly IPNetwork[] _networks;

    /// <summary>Reads the list.</summary>
    /// <exception cref="FormatException">An entry is neither an address nor a network.</exception>
    public AddressList(IEnumerable<string> entries) =>
        _networks = [.. entries.Select(static entry => TryParse(entry, out var network)
            ? network
            : throw new FormatException($"'{entry}' is neither an address (10.1.2.3) nor a network (10.0.0.0/8, fd00::/8)."))];

    /// <summary>What is wrong with an entry, and what would be right; null: nothing.</summary>
    public static string? MistakeIn(string entry)
    {
        if (!TryParse(entry, out var network))
            return $"'{entry}' is neither an address (10.1.2.3) nor a network (10.0.0.0/8, fd00::/8)";

        // Half of such lines are slips: 10.1.2.3/8 where the host alone was meant.
        var slash = entry.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 || IPAddress.Parse(entry.AsSpan(0, slash).Trim()).Equals(network.BaseAddress)
            ? null
            : $"'{entry}' is not the first address of its network; write {network}";
    }

    /// <summary>Whether the peer is one of them. A peer without an address (a Unix socket, a test) isn't.</summary>
    public bool Contains(IPAddress? peer)
    {
        if (peer is null || _networks.Length == 0) return false;

        peer = Unmapped(peer);
        foreach (var network in _networks)
        {
            if (network.Contains(peer)) return true;
        }

        return false;
    }

    /// <summary>
    /// One entry: an address, or a network in CIDR notation. Bits beyond the prefix are ignored
    /// (<c>10.1.2.3/8</c> is <c>10.0.0.0/8</c>).
    /// </summary>
    public static bool TryParse(string? entry, out IPNetwork network)
    {
        network = default;
        var text = entry.AsSpan().Trim();
        var slash = text.IndexOf('/');
        var addressText = slash < 0 ? text : text[..slash];

        // "1" and "10.1" are addresses to inet_aton, and a slip of the pen in a configuration.
        if (!IPAddress.TryParse(addressText, out var address)
            || (address.AddressFamily == AddressFamily.InterNetwork && addressText.Count('.') != 3)
            || addressText.IndexOfAny("[]%") >= 0)
        {
            return false;
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = bits;
        if (slash >= 0
            && (!int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > bits))
        {
            return false;
        }

        if (address.IsIPv4MappedToIPv6 && length >= 96)
        {
            address = address.MapToIPv4();
            length -= 96;
        }

        network = new IPNetwork(Masked(address, length), length);
        return true;
    }

    /// <summary>An IPv4 peer of a dual-stack socket as what it is.</summary>
    public static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var keep = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - keep));
        }

        return new IPAddress(bytes);
    }
}

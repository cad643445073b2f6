using System.Net;

namespace CdnEdge.Control;

/// <summary>
/// The section <c>CdnEdge:PurgeMethod</c>: the method PURGE on the addresses that serve traffic, for systems that purge that way.
/// Read at start only.
/// </summary>
internal sealed class PurgeMethodOptions
{
    /// <summary>Whether PURGE purges. Otherwise it's forwarded as any method.</summary>
    public bool Enabled { get; set; }

    /// <summary>Whether it takes a token of <see cref="AdminOptions.Tokens"/> with the scope <c>purge</c>.</summary>
    public bool RequireToken { get; set; } = true;

    /// <summary>Addresses and networks from which it may come; none: from everywhere, which takes a token.</summary>
    public IList<string> AllowFrom { get; set; } = [];

    /// <summary>Every mistake, by its path.</summary>
    /// <param name="path">Where the options stand: <c>CdnEdge:PurgeMethod</c>.</param>
    /// <param name="admin">The admin API's options, whose tokens count.</param>
    internal IEnumerable<string> Errors(string path, AdminOptions admin)
    {
        for (var i = 0; i < AllowFrom.Count; i++)
        {
            if (!TryReadNetwork(AllowFrom[i], out _))
                yield return $"{path}:AllowFrom:{i}: '{AllowFrom[i]}' is neither an address (10.1.2.3) nor a network (10.0.0.0/8, fd00::/8)";
        }

        if (!Enabled)
            yield break;
        if (RequireToken && !admin.Tokens.Values.Any(static token => token.Scopes.Contains(AdminScope.Purge)))
            yield return $"{path}: no token could be used: CdnEdge:Admin:Tokens has none with the scope purge; make one (cdnedge token new --scope purge), or set {path}:RequireToken to false and name who may in {path}:AllowFrom";
        if (!RequireToken && AllowFrom.Count == 0)
            yield return $"{path}:AllowFrom: missing; without a token, whoever may purge has to be named, such as 10.0.0.0/8";
    }

    /// <summary>Whether it may come from there.</summary>
    internal bool Allows(IPAddress? address)
    {
        if (AllowFrom.Count == 0)
            return true;
        if (address is null)
            return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return AllowFrom.Any(entry => TryReadNetwork(entry, out var network) && network.Contains(plain));
    }

    // IPAddress reads 10 as 0.0.0.10 and 010.1.1.1 in octal; neither is what somebody means by it.
    private static bool TryReadNetwork(string entry, out IPNetwork network)
    {
        if (IPNetwork.TryParse(entry, out network))
            return true;
        if (!IPAddress.TryParse(entry, out var address) || (!entry.Contains(':', StringComparison.Ordinal) && address.ToString() != entry))
            return false;
        network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return true;
    }
}

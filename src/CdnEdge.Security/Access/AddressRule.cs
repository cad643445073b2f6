using System.Net;
using CdnEdge.Upstream.Forwarded;

namespace CdnEdge.Security;

/// <summary>Who may come, by address.</summary>
internal sealed class AddressRule(AddressOptions options)
{
    private readonly AddressList? _allowed = options.Allow.Count > 0 ? new AddressList(options.Allow) : null;
    private readonly AddressList _denied = new(options.Deny);

    /// <param name="address">The client's; null: it has none, and isn't on any list.</param>
    internal bool LetsIn(IPAddress? address) => !_denied.Contains(address) && _allowed?.Contains(address) != false;
}

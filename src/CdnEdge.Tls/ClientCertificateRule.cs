using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Tls;

/// <summary>That a site asks its clients for certificates.</summary>
/// <param name="Authorities">Who issues them.</param>
/// <param name="IsRequired">Without one there's no handshake. Else a client may have none, but not one of somebody else's.</param>
internal sealed record ClientCertificateRule(ClientAuthorities Authorities, bool IsRequired)
{
    private static readonly object Key = new();

    /// <summary>Notes that a connection's handshake went by this rule.</summary>
    internal void Govern(ConnectionContext connection) => connection.Items[Key] = this;

    /// <summary>
    /// Whether the connection of a request was made by this rule: one made for another site, on which HTTP/2 lets a client ask for this
    /// one too (RFC 9113 §9.1.1), wasn't, nor one from before the configuration changed.
    /// </summary>
    internal bool Governed(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var rule) == true && Equals(rule);
}

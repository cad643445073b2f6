using System.Net;

namespace CdnEdge.Security;

/// <summary>How many requests a site takes, of each client and of all of them.</summary>
/// <param name="client">Of one client; null: any number.</param>
/// <param name="site">Of all; null: any number.</param>
/// <param name="limits">How many clients are remembered, and what counts as one.</param>
internal sealed class RequestRates(RateOptions? client, RateOptions? site, LimitOptions limits)
{
    private readonly ClientRates? _clients = client is null ? null : new ClientRates(client, limits.Clients);
    private readonly Bucket? _site = site is null ? null : new Bucket(Bucket.OptionsFor(site));

    /// <summary>Counts a request. Null: it's within both rates; else when the next may come, and whether it's the client's rate.</summary>
    internal (TimeSpan Wait, bool IsOfClient)? Take(IPAddress? address) =>
        _clients?.Take(ClientNetwork.Of(address, limits.Ipv6Prefix)) is { } ofClient ? (ofClient, true)
        : _site?.Take() is { } ofSite ? (ofSite, false)
        : null;
}

using System.Net;
using System.Threading.RateLimiting;

namespace CdnEdge.Security;

/// <summary>How many requests a site takes, of each client and of all of them.</summary>
/// <param name="client">Of one client; null: any number.</param>
/// <param name="site">Of all; null: any number.</param>
/// <param name="limits">How many clients are remembered, and what counts as one.</param>
internal sealed class RequestRates(RateOptions? client, RateOptions? site, LimitOptions limits)
{
    private readonly RateTable<ClientNetwork>? _clients = client is null ? null : new RateTable<ClientNetwork>(client, limits.Clients);
    private readonly TokenBucketRateLimiter? _site = site is null ? null : new TokenBucketRateLimiter(RateTable<ClientNetwork>.Bucket(site));

    /// <summary>Counts a request. Null: it's within both rates; else when the next may come, and whether it's the client's rate.</summary>
    internal (TimeSpan Wait, bool IsOfClient)? Take(IPAddress? address)
    {
        if (_clients?.Take(ClientNetwork.Of(address, limits.Ipv6Prefix)) is { } wait)
            return (wait, true);
        if (_site is null)
            return null;
        _site.TryReplenish();
        using var lease = _site.AttemptAcquire();
        return lease.IsAcquired ? null : (lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1), false);
    }
}

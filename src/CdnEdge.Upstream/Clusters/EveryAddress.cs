using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace CdnEdge.Upstream.Clusters;

/// <summary>
/// Makes one destination of each address that a name has, where the destination's metadata ask for it: each has a health of its own
/// then. The name is looked up again as often as they say.
/// </summary>
/// <remarks>
/// YARP's own resolver does so for all destinations, and lets a name that can't be resolved fail the whole configuration. Here what
/// is known stays: the addresses of the last time, or the name as it is.
/// </remarks>
internal sealed partial class EveryAddress(UpstreamOptions options, ILogger<EveryAddress> logger) : IDestinationResolver
{
    /// <summary>The key in a destination's metadata; its value is how often to look, such as <c>00:00:30</c>.</summary>
    internal const string MetadataKey = "CdnEdge.Dns";

    private readonly ConcurrentDictionary<string, IPAddress[]> _known = new(StringComparer.OrdinalIgnoreCase);

    public async ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        if (!destinations.Values.Any(static one => PeriodOf(one) is not null))
            return new ResolvedDestinationCollection(destinations, null);

        var resolved = new Dictionary<string, DestinationConfig>(StringComparer.OrdinalIgnoreCase);
        TimeSpan? soonest = null;
        foreach (var (name, destination) in destinations)
        {
            if (PeriodOf(destination) is not { } period
                || !Uri.TryCreate(destination.Address, UriKind.Absolute, out var address)
                || address.HostNameType is not UriHostNameType.Dns)
            {
                resolved[name] = destination;
                continue;
            }

            soonest = soonest < period ? soonest : period;
            foreach (var ip in await LookUpAsync(address.IdnHost, cancellationToken))
                resolved[$"{name}[{ip}]"] = At(destination, address, ip);
            if (!_known.ContainsKey(address.IdnHost))
                resolved[name] = destination;
        }

#pragma warning disable CA2000 // The token's own timer ends it; YARP registers with it until then.
        var change = soonest is { } later ? new CancellationChangeToken(new CancellationTokenSource(later).Token) : null;
#pragma warning restore CA2000
        return new ResolvedDestinationCollection(resolved, change);
    }

    /// <summary>How often the name is to be looked up; null: not here, connections do.</summary>
    internal static TimeSpan? PeriodOf(DestinationConfig destination) =>
        destination.Metadata is { } metadata
        && metadata.TryGetValue(MetadataKey, out var text)
        && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var period)
            ? period
            : null;

    private async Task<IPAddress[]> LookUpAsync(string host, CancellationToken cancellation)
    {
        try
        {
            var found = await Dns.GetHostAddressesAsync(host, cancellation);
            if (found.Length > 0)
                return _known[host] = found;
        }
        catch (SocketException failure)
        {
            Log.Unresolved(logger, host, failure.SocketErrorCode);
        }

        return _known.GetValueOrDefault(host, []);
    }

    private DestinationConfig At(DestinationConfig destination, Uri address, IPAddress ip) => destination with
    {
        Address = new UriBuilder(address) { Host = ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip}]" : ip.ToString() }.Uri.ToString(),

        // What the server is asked for stays what it would be by its name, in TLS too.
        Host = destination.Host ?? (options.Forwarding.OriginalHost ? null : address.Authority),
    };

    private static partial class Log
    {
        [LoggerMessage(30, LogLevel.Warning, "The name {Host} can't be resolved ({Error}): what is known of it stays", EventName = "Unresolved")]
        internal static partial void Unresolved(ILogger logger, string host, SocketError error);
    }
}

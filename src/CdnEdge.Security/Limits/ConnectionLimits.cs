using System.Net;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Security;

/// <summary>
/// How many connections one client may have at a time. Further ones are closed before anything is spent on them: TLS begins behind this.
/// </summary>
/// <param name="limits">How many.</param>
/// <param name="trustedProxies">Many clients come by one of these: they may have any number.</param>
/// <param name="log">Where a client that has too many is told of, once until it has none any more.</param>
internal sealed partial class ConnectionLimits(LimitOptions limits, AddressList trustedProxies, ILogger log)
{
    private readonly Lock _lock = new();

    // As large as the number of connections, at most.
    private readonly Dictionary<ClientNetwork, Client> _clients = [];

    internal ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        using var place = Take(connection);
        if (place.IsTaken)
            await next(connection);
    };

    internal MultiplexedConnectionDelegate Limit(MultiplexedConnectionDelegate next) => async connection =>
    {
        using var place = Take(connection);
        if (place.IsTaken)
            await next(connection);
    };

    private Place Take(BaseConnectionContext connection)
    {
        if ((connection.RemoteEndPoint as IPEndPoint)?.Address is not { } address || trustedProxies.Contains(address))
            return new Place(null, default, isTaken: true);
        var network = ClientNetwork.Of(address, limits.Ipv6Prefix);
        bool isFirst;
        lock (_lock)
        {
            var client = _clients.GetValueOrDefault(network);
            if (client.Connections < limits.ConnectionsPerAddress)
            {
                _clients[network] = client with { Connections = client.Connections + 1 };
                return new Place(this, network, isTaken: true);
            }

            isFirst = !client.WasRefused;
            _clients[network] = client with { WasRefused = true };
        }

        if (isFirst)
            Log.Refused(log, AddressList.Unmapped(address).ToString(), limits.ConnectionsPerAddress!.Value);
        connection.Abort(new ConnectionAbortedException("The client has as many connections as it may have."));
        return default;
    }

    private void GiveBack(ClientNetwork network)
    {
        lock (_lock)
        {
            var client = _clients[network];
            if (client.Connections == 1)
                _clients.Remove(network);
            else
                _clients[network] = client with { Connections = client.Connections - 1 };
        }
    }

    private readonly record struct Client(int Connections, bool WasRefused);

    private readonly struct Place(ConnectionLimits? limits, ClientNetwork network, bool isTaken) : IDisposable
    {
        internal bool IsTaken { get; } = isTaken;

        public void Dispose() => limits?.GiveBack(network);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Client} has {Limit} connections, which is all that one client may have (CdnEdge:Limits:ConnectionsPerAddress): further ones are closed", EventName = "ConnectionsRefused")]
        internal static partial void Refused(ILogger logger, string client, int limit);
    }
}

using System.Net;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Security;

/// <summary>
/// How many connections the node and one client may have at a time. Further ones are closed before anything is spent on them: TLS begins
/// behind this. Kestrel has a limit of its own for the node; it counts a connection until its handler has ended, which it doesn't always
/// do when streams are reset by the hundred (aspnetcore #51307): an attacker could use the limit up. Here a connection counts while it's open.
/// </summary>
/// <param name="limits">How many.</param>
/// <param name="trustedProxies">Many clients come by one of these: they may have any number.</param>
/// <param name="log">Where it's told that there are too many, once until there is room again.</param>
internal sealed partial class ConnectionLimits(LimitOptions limits, AddressList trustedProxies, ILogger log)
{
    private readonly Lock _lock = new();

    // As large as the number of connections, at most.
    private readonly Dictionary<ClientNetwork, Client> _clients = [];

    private int _connections;
    private bool _wasFull;

    /// <summary>Whether there's a limit at all.</summary>
    internal static bool IsNeeded(LimitOptions limits) => limits.Connections is not null || limits.ConnectionsPerAddress is not null;

    internal ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        if (Take(connection) is not { } place)
            return;
        try
        {
            await using var closed = place.WhenClosed(connection);
            await next(connection);
        }
        finally
        {
            place.GiveBack();
        }
    };

    internal MultiplexedConnectionDelegate Limit(MultiplexedConnectionDelegate next) => async connection =>
    {
        if (Take(connection) is not { } place)
            return;
        try
        {
            await using var closed = place.WhenClosed(connection);
            await next(connection);
        }
        finally
        {
            place.GiveBack();
        }
    };

    private Place? Take(BaseConnectionContext connection)
    {
        ClientNetwork? client = (connection.RemoteEndPoint as IPEndPoint)?.Address is { } address && limits.ConnectionsPerAddress is not null && !trustedProxies.Contains(address)
            ? ClientNetwork.Of(address, limits.Ipv6Prefix)
            : null;
        bool isTold;
        lock (_lock)
        {
            if (_connections < (limits.Connections ?? int.MaxValue))
            {
                if (client is not { } one || TryTake(one, out isTold))
                {
                    _connections++;
                    return new Place(this, client);
                }
            }
            else
            {
                client = null;
                isTold = _wasFull;
                _wasFull = true;
            }
        }

        if (!isTold && client is not null)
            Log.Refused(log, AddressList.Unmapped(((IPEndPoint)connection.RemoteEndPoint!).Address).ToString(), limits.ConnectionsPerAddress!.Value);
        else if (!isTold)
            Log.Full(log, limits.Connections!.Value);
        connection.Abort(new ConnectionAbortedException("There are as many connections as there may be, of this client or of all."));
        return null;
    }

    private bool TryTake(ClientNetwork network, out bool isTold)
    {
        var client = _clients.GetValueOrDefault(network);
        isTold = client.WasRefused;
        var isTaken = client.Connections < limits.ConnectionsPerAddress;
        _clients[network] = isTaken ? client with { Connections = client.Connections + 1 } : client with { WasRefused = true };
        return isTaken;
    }

    private void GiveBack(ClientNetwork? network)
    {
        lock (_lock)
        {
            _connections--;
            _wasFull = false;
            if (network is not { } some)
                return;
            var client = _clients[some];
            if (client.Connections == 1)
                _clients.Remove(some);
            else
                _clients[some] = client with { Connections = client.Connections - 1 };
        }
    }

    private readonly record struct Client(int Connections, bool WasRefused);

    /// <summary>A connection's, of its client and among all.</summary>
    private sealed class Place(ConnectionLimits limits, ClientNetwork? client)
    {
        private bool _isGivenBack;

        internal CancellationTokenRegistration WhenClosed(BaseConnectionContext connection) =>
            connection.ConnectionClosed.UnsafeRegister(static place => ((Place)place!).GiveBack(), this);

        /// <summary>Once, however often it's called.</summary>
        internal void GiveBack()
        {
            if (!Interlocked.Exchange(ref _isGivenBack, true))
                limits.GiveBack(client);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Client} has {Limit} connections, which is all that one client may have (CdnEdge:Limits:ConnectionsPerAddress): further ones are closed", EventName = "ConnectionsRefused")]
        internal static partial void Refused(ILogger logger, string client, int limit);

        [LoggerMessage(2, LogLevel.Warning, "There are {Limit} connections, which is all that there may be (CdnEdge:Limits:Connections): further ones are closed", EventName = "ConnectionsFull")]
        internal static partial void Full(ILogger logger, int limit);
    }
}

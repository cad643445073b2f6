using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Ends HTTP/3 connections whose client takes its requests back again and again. A client of HTTP/3 has a hundred requests at a time,
/// but nobody counts how often it begins anew (rapid reset is no matter of HTTP/2 alone: RFC 9114 §10.5). Frames without content
/// are not counted here: below HTTP/3 they are QUIC's, encrypted.
/// </summary>
internal sealed class Http3FloodGuard(TimeProvider time, CacheMetrics metrics)
{
    // A connection's features don't reach its requests over HTTP/3. Its id does.
    private readonly ConcurrentDictionary<string, Connection> _connections = new();

    /// <summary>To be used on an endpoint.</summary>
    internal MultiplexedConnectionDelegate Guard(MultiplexedConnectionDelegate next) => async connection =>
    {
        _connections[connection.ConnectionId] = new Connection(connection, new Http2Budget(time));
        try
        {
            await next(connection);
        }
        finally
        {
            _connections.TryRemove(connection.ConnectionId, out _);
        }
    };

    /// <summary>A request came to nothing because its client, or an error of its client's, ended it.</summary>
    /// <param name="connectionId">Of its connection.</param>
    internal void OnAborted(string connectionId)
    {
        if (!_connections.TryGetValue(connectionId, out var connection))
        {
            return;
        }

        lock (connection)
        {
            // By time alone: the requests before this one went well for all that is known here.
            connection.Budget.Fill(requests: 1);
            connection.Budget.SpendAborted();
            if (!connection.Budget.IsExhausted || connection.IsOver)
            {
                return;
            }

            connection.IsOver = true;
        }

        metrics.Http3Flood();
        connection.Context.Abort(new ConnectionAbortedException("The client took back more of its requests than a visitor does."));
    }

    private sealed class Connection(MultiplexedConnectionContext context, Http2Budget budget)
    {
        internal MultiplexedConnectionContext Context { get; } = context;

        internal Http2Budget Budget { get; } = budget;

        internal bool IsOver { get; set; }
    }
}

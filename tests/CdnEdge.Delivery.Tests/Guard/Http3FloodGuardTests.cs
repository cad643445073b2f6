using System.Net;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Tests.Library;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Delivery.Tests.Guard;

/// <summary>What needs no QUIC of it: connections and requests as Kestrel makes them.</summary>
public sealed class Http3FloodGuardTests
{
    [Fact]
    public async Task Requests_that_are_taken_back_again_and_again_end_the_connection()
    {
        var builder = Server.Builder();
        builder.Services.AddReverseProxy().AddCdnCache();
        await using var edge = builder.Build();
        await using var connection = new Quic("a");
        await using var other = new Quic("b");
        var end = Begin(edge.Services, connection, other);
        var ask = Requests(edge.Services); // by protocol, connection, and whether it's taken back

        for (var i = 0; i < 200; i++)
            await ask("HTTP/3", "a", true);
        for (var i = 0; i < 2000; i++)
            await ask("HTTP/3", "b", false);
        for (var i = 0; i < 2000; i++)
            await ask("HTTP/2", "b", true); // which has a budget of its own, among the connection's features
        Assert.Equal((0, 0), (connection.Aborted, other.Aborted));

        for (var i = 0; i < 1000; i++)
            await ask("HTTP/3", "a", true);
        Assert.Equal((1, 0), (connection.Aborted, other.Aborted));

        end.SetResult();
        await ask("HTTP/3", "a", true); // of a connection that has ended
        Assert.Equal(1, connection.Aborted);
    }

    private static TaskCompletionSource Begin(IServiceProvider services, params Quic[] connections)
    {
        var end = new TaskCompletionSource();
        var handler = services.GetRequiredService<Http3FloodGuard>().Guard(_ => end.Task);
        foreach (var connection in connections)
            _ = handler(connection);
        return end;
    }

    private static Func<string, string, bool, Task> Requests(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        Http2FloodGuard.Use(app);
        app.Run(static async _ => await Task.Yield());
        var handler = app.Build();
        return (protocol, connection, isAborted) =>
        {
            var context = new DefaultHttpContext();
            context.Request.Protocol = protocol;
            context.Connection.Id = connection;
            context.RequestAborted = new CancellationToken(isAborted);
            return handler(context);
        };
    }

    private sealed class Quic(string id) : MultiplexedConnectionContext
    {
        internal int Aborted { get; private set; }

        public override string ConnectionId { get; set; } = id;

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public override EndPoint? RemoteEndPoint { get; set; }

        public override void Abort() => Aborted++;

        public override void Abort(ConnectionAbortedException abortReason) => Aborted++;

        public override ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public override ValueTask<ConnectionContext> ConnectAsync(IFeatureCollection? features = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}

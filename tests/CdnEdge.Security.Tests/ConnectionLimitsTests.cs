using System.Net;
using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdnEdge.Security.Tests;

public sealed class ConnectionLimitsTests
{
    /// <summary>Kestrel leaves some unended of those whose streams were reset by the hundred (aspnetcore #51307).</summary>
    [Fact]
    public async Task A_connection_that_is_closed_gives_its_place_back_though_its_handler_never_ends()
    {
        using var closed = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        var reached = 0;
        var handler = Limits(new LimitOptions { Connections = 1, ConnectionsPerAddress = 1 }).Limit((ConnectionDelegate)(_ =>
        {
            reached++;
            return never.Task;
        }));

        _ = handler(Connection(1, closed.Token));
        await handler(Connection(1, TestContext.Current.CancellationToken)); // refused
        await handler(Connection(2, TestContext.Current.CancellationToken)); // refused too
        Assert.Equal(1, reached);

        await closed.CancelAsync();
        _ = handler(Connection(1, TestContext.Current.CancellationToken));

        Assert.Equal(2, reached);
    }

    [Fact]
    public async Task A_place_is_given_back_once_and_when_the_handler_fails_too()
    {
        using var closed = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        var limits = Limits(new LimitOptions { Connections = 1 });
        var failing = limits.Limit((ConnectionDelegate)(static _ => throw new InvalidOperationException("as handlers do")));

        await Assert.ThrowsAsync<InvalidOperationException>(() => failing(Connection(1, closed.Token)));
        await closed.CancelAsync();

        var reached = 0;
        var handler = limits.Limit((ConnectionDelegate)(_ =>
        {
            reached++;
            return never.Task;
        }));
        _ = handler(Connection(1, TestContext.Current.CancellationToken));
        await handler(Connection(1, TestContext.Current.CancellationToken));
        Assert.Equal(1, reached);
    }

    [Fact]
    public async Task That_it_is_full_is_said_once()
    {
        var log = new Lines();
        var never = new TaskCompletionSource();
        var handler = new ConnectionLimits(new LimitOptions { Connections = 1 }, new AddressList([]), log).Limit((ConnectionDelegate)(_ => never.Task));

        _ = handler(Connection(1, TestContext.Current.CancellationToken));
        await handler(Connection(2, TestContext.Current.CancellationToken));
        await handler(Connection(3, TestContext.Current.CancellationToken));

        Assert.StartsWith("There are 1 connections", Assert.Single(log.Written), StringComparison.Ordinal);
    }

    private static ConnectionLimits Limits(LimitOptions limits) => new(limits, new AddressList([]), NullLogger.Instance);

    private static DefaultConnectionContext Connection(byte client, CancellationToken closed) =>
        new() { RemoteEndPoint = new IPEndPoint(new IPAddress([192, 0, 2, client]), 1), ConnectionClosed = closed };

    private sealed class Lines : ILogger
    {
        internal List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));
    }
}

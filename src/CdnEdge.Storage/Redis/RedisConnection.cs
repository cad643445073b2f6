using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>
/// The process's one connection to Redis, made in the background: nobody waits for it, and while there's none every command fails
/// at once. It comes back by itself.
/// </summary>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly ConfigurationOptions _configuration;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _connecting;
    private readonly TaskCompletionSource _attempted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ConnectionMultiplexer? _multiplexer;

    /// <param name="connection">As StackExchange.Redis writes it (<see cref="RedisOptions.Connection"/>).</param>
    /// <exception cref="ArgumentException">It's malformed.</exception>
    internal RedisConnection(string connection, ILogger log)
    {
        _log = log;
        _configuration = ConfigurationOptions.Parse(connection);
        _configuration.AbortOnConnectFail = false;
        // A command that can't be sent now is of no use later: its request has been answered otherwise.
        _configuration.BacklogPolicy = BacklogPolicy.FailFast;
        _configuration.ReconnectRetryPolicy = new ExponentialRetry(250, 2000);
        _configuration.ClientName ??= "cdnedge";
        _connecting = Task.Run(ConnectAsync);
    }

    /// <summary>Null until the first attempt to connect has ended.</summary>
    internal IDatabase? Database => _multiplexer?.GetDatabase();

    /// <summary>The first attempt to connect has ended, well or not, or so much time has passed.</summary>
    internal Task FirstAttemptAsync(TimeSpan atMost, CancellationToken cancellation) =>
        _attempted.Task.WaitAsync(atMost, cancellation).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>For what needs more than commands, such as subscriptions; null until the first attempt to connect has ended.</summary>
    internal IConnectionMultiplexer? Multiplexer => _multiplexer;

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        await _connecting;
        if (_multiplexer is { } multiplexer)
            await multiplexer.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task ConnectAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _multiplexer = await ConnectionMultiplexer.ConnectAsync(_configuration);
                _attempted.TrySetResult();
                return;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or IOException or System.Net.Sockets.SocketException)
            {
                _attempted.TrySetResult();
                Log.CannotConnect(_log, exception.Message);
                await Task.Delay(RetryAfter, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Redis: {Reason}. It's tried again every second.", EventName = "RedisCannotConnect")]
        public static partial void CannotConnect(ILogger logger, string reason);
    }
}

using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>How a call ended.</summary>
internal enum CallStatus
{
    Done,
    /// <summary>Not made: the circuit is open, or there's no connection yet.</summary>
    Open,
    /// <summary>No answer in time, or the connection broke.</summary>
    Failed,
    /// <summary>Redis answered with an error: wrong type, full, read-only, loading.</summary>
    Refused,
}

internal readonly record struct CallResult<T>(CallStatus Status, T? Value, string? Error = null);

/// <summary>
/// Every call to Redis: bounded in time and behind a circuit breaker, so that a Redis that doesn't answer costs a few
/// requests their patience, not all. An error that Redis answers with costs no time, and doesn't open it.
/// </summary>
internal sealed partial class RedisCalls
{
    private readonly RedisConnection _connection;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline _pipeline;
    private int _isOpen;
    private int _isRefusing;

    /// <param name="breakDuration">How long the circuit stays open until a call tries again.</param>
    internal RedisCalls(RedisConnection connection, ILogger log, TimeProvider time, TimeSpan breakDuration)
    {
        _connection = connection;
        _log = log;
        _time = time;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 4,
                SamplingDuration = TimeSpan.FromSeconds(5),
                BreakDuration = breakDuration,
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is TimeoutException or RedisConnectionException or RedisTimeoutException),
                OnOpened = arguments =>
                {
                    // Again after a trial that failed: it never closed meanwhile, which was said before.
                    if (Interlocked.Exchange(ref _isOpen, 1) == 0)
                        Log.Opened(_log, arguments.Outcome.Exception?.GetType().Name ?? "");
                    return default;
                },
                OnClosed = _ =>
                {
                    if (Interlocked.Exchange(ref _isOpen, 0) == 1)
                        Log.Closed(_log);
                    return default;
                },
            })
            .Build();
    }

    internal bool IsOpen => Volatile.Read(ref _isOpen) == 1;

    /// <summary>Calls Redis; never throws but for cancellation.</summary>
    /// <param name="call">Makes the call, once.</param>
    /// <param name="state">Given to it.</param>
    /// <param name="within">How long the answer may take.</param>
    internal async ValueTask<CallResult<T>> CallAsync<T, TState>(Func<IDatabase, TState, Task<T>> call, TState state, TimeSpan within, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_connection.Database is not { } database)
            return new(CallStatus.Open, default);

        var context = ResilienceContextPool.Shared.Get(cancellation);
        var outcome = await _pipeline.ExecuteOutcomeAsync(
            static (context, call) => call.Self.OnceAsync(call.call, call.database, call.state, call.within, context.CancellationToken),
            context,
            (Self: this, call, database, state, within));
        ResilienceContextPool.Shared.Return(context);
        return outcome.Exception switch
        {
            null => new(CallStatus.Done, outcome.Result),
            BrokenCircuitException => new(CallStatus.Open, default),
            RedisServerException or RedisCommandException => new(CallStatus.Refused, default, outcome.Exception.Message),
            OperationCanceledException when cancellation.IsCancellationRequested => throw new OperationCanceledException(cancellation),
            var failure => new(CallStatus.Failed, default, failure.Message),
        };
    }

    /// <summary>Says whether writes are taken, once for each change.</summary>
    internal void Wrote(CallStatus status, string? error)
    {
        if (status == CallStatus.Refused && Interlocked.Exchange(ref _isRefusing, 1) == 0)
            Log.Refuses(_log, error ?? "");
        else if (status == CallStatus.Done && Volatile.Read(ref _isRefusing) == 1 && Interlocked.Exchange(ref _isRefusing, 0) == 1)
            Log.Accepts(_log);
    }

    private async ValueTask<Outcome<T>> OnceAsync<T, TState>(Func<IDatabase, TState, Task<T>> call, IDatabase database, TState state, TimeSpan within, CancellationToken cancellation)
    {
        Task<T>? task = null;
        try
        {
            task = call(database, state);
            return Outcome.FromResult(await task.WaitAsync(within, _time, cancellation));
        }
        catch (Exception exception) when (exception is RedisException or RedisCommandException or TimeoutException or OperationCanceledException
            or InvalidOperationException or IOException)
        {
            Abandon(task);
            return Outcome.FromException<T>(exception);
        }
    }

    /// <summary>What comes too late is given back; that it failed is known.</summary>
    private static void Abandon<T>(Task<T>? task) => task?.ContinueWith(
        static late =>
        {
            if (late.IsCompletedSuccessfully)
                (late.Result as IDisposable)?.Dispose();
            else
                _ = late.Exception;
        },
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Redis doesn't answer ({Reason}): going on without it, trying again in a moment.", EventName = "RedisOpened")]
        public static partial void Opened(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Information, "Redis answers again.", EventName = "RedisClosed")]
        public static partial void Closed(ILogger logger);

        [LoggerMessage(3, LogLevel.Warning, "Redis takes no more objects: {Error}", EventName = "RedisRefuses")]
        public static partial void Refuses(ILogger logger, string error);

        [LoggerMessage(4, LogLevel.Information, "Redis takes objects again.", EventName = "RedisAccepts")]
        public static partial void Accepts(ILogger logger);
    }
}

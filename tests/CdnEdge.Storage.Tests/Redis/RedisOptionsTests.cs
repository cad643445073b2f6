using System.Diagnostics.Metrics;
using CdnEdge.Caching;
using CdnEdge.Storage.Redis;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Storage.Tests.Redis;

public class RedisOptionsTests
{
    [Fact]
    public void The_defaults_have_no_mistakes() => Assert.Empty(Errors(static _ => { }));

    [Fact]
    public void Every_mistake_is_named_by_its_path()
    {
        var errors = Errors(static options =>
        {
            options.Connection = "localhost:6379,nonsense=1,password=hush";
            options.Prefix = "a{b}";
            options.Timeout = TimeSpan.Zero;
            options.MaxAge = TimeSpan.FromSeconds(1);
            options.MaxObjectBytes = -1;
            options.Keys["short"] = "AAAA";
            options.Keys["no id"] = Node.FirstKey;
        });

        Assert.Equal(
            ["Connection", "Prefix", "Timeout", "MaxAge", "MaxObjectBytes", "Keys:short", "Keys:no id"],
            errors.Select(static error => error["CdnEdge:Redis:".Length..error.IndexOf(": '", StringComparison.Ordinal)]));
        Assert.DoesNotContain(errors, static error => error.Contains("hush", StringComparison.Ordinal) || error.Contains("AAAA", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_several_keys_one_is_said_to_write()
    {
        Assert.StartsWith("CdnEdge:Redis:ActiveKey:", Assert.Single(Errors(static options => Two(options).ActiveKey = null)), StringComparison.Ordinal);
        Assert.StartsWith("CdnEdge:Redis:ActiveKey:", Assert.Single(Errors(static options => Two(options).ActiveKey = "c")), StringComparison.Ordinal);
        Assert.StartsWith("CdnEdge:Redis:ActiveKey:", Assert.Single(Errors(static options => options.ActiveKey = "c")), StringComparison.Ordinal);
        Assert.Empty(Errors(static options => Two(options).ActiveKey = "b"));
    }

    [Fact]
    public void A_file_of_keys_has_an_order()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, $"# keys\n\nb {Node.SecondKey}\n  a\t{Node.FirstKey}\n");
            Assert.Equal("b", Ring(options => options.KeyFile = file)!.ActiveId);
            Assert.NotNull(Ring(options => options.KeyFile = file)!.Find("a"));
            Assert.Equal("a", Ring(options => (options.KeyFile, options.ActiveKey) = (file, "a"))!.ActiveId);

            File.WriteAllText(file, $"b {Node.SecondKey}\nb {Node.FirstKey}\nc\n");
            Assert.Equal(
                ["CdnEdge:Redis:KeyFile (line 2)", "CdnEdge:Redis:KeyFile (line 3)"],
                Errors(options => options.KeyFile = file).Select(static error => error[..error.IndexOf(": '", StringComparison.Ordinal)]));
            Assert.StartsWith("CdnEdge:Redis:KeyFile:", Assert.Single(Errors(options => Two(options).KeyFile = file)), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.StartsWith("CdnEdge:Redis:KeyFile:", Assert.Single(Errors(options => options.KeyFile = file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_key_it_stays_off_with_a_warning()
    {
        var log = new WarningCount();
        using var meters = new NoMeters();
        await using var connection = new RedisConnection("127.0.0.1:1", log);
        Assert.Null(RedisTier.Create(connection, new RedisOptions(), meters, log, TimeProvider.System));
        Assert.True(log.NoKey);

        await using var tier = RedisTier.Create(connection, new RedisOptions { AllowPlaintext = true }, meters, log, TimeProvider.System);
        Assert.NotNull(tier);
        Assert.Null(RedisTier.Create(null, new RedisOptions { AllowPlaintext = true }, meters, log, TimeProvider.System));
    }

    private static RedisOptions Two(RedisOptions options)
    {
        options.Keys["a"] = Node.FirstKey;
        options.Keys["b"] = Node.SecondKey;
        return options;
    }

    private static IReadOnlyList<string> Errors(Action<RedisOptions> configure)
    {
        var options = new RedisOptions();
        configure(options);
        return RedisOptionsValidation.Errors("CdnEdge:Redis", options);
    }

    private static KeyRing? Ring(Action<RedisOptions> configure)
    {
        var options = new RedisOptions();
        configure(options);
        return KeyRing.Read(options, new PolicyErrors("CdnEdge:Redis"));
    }

    private sealed class WarningCount : ILogger
    {
        internal bool NoKey { get; private set; }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            NoKey |= eventId.Name == "RedisNoKey" && logLevel == LogLevel.Warning;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;
    }

    private sealed class NoMeters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}

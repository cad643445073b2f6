using CdnEdge.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Tests;

public sealed class ConfigurationFileWatchTests : IDisposable
{
    private static readonly string Old = WithMaxTtl("00:00:01");
    private static readonly string New = WithMaxTtl("00:00:02");

    private readonly TemporaryFile _file = new(Old);
    private readonly List<(LogLevel Level, string Text)> _log = [];
    private readonly FakeTimeProvider _time = new();
    private ValidatedConfiguration? _configuration;
    private int _announced;

    public void Dispose()
    {
        _configuration?.Dispose();
        _file.Dispose();
    }

    [Fact]
    public async Task A_good_file_is_put_in_force_once_it_stands_still()
    {
        using var watch = await Watch();

        _file.Write(New);
        await watch.LookAsync();
        Assert.Equal("00:00:01", InForce);
        await watch.LookAsync();

        Assert.Equal("00:00:02", InForce);
        Assert.Equal(1, _announced);
        Assert.Equal([(LogLevel.Information, $"{_file.Path}: the new configuration is in force (1 route, 1 cluster, 1 policy)")], _log);
    }

    [Fact]
    public async Task A_replaced_file_is_seen()
    {
        using var watch = await Watch();

        _file.Replace(New);
        await Looks(watch, 2);

        Assert.Equal("00:00:02", InForce);
    }

    [Fact]
    public async Task A_link_that_moves_is_seen()
    {
        using var watch = await Watch();
        using var other = new TemporaryFile(New);

        File.Delete(_file.Path);
        File.CreateSymbolicLink(_file.Path, other.Path);
        await Looks(watch, 2);

        Assert.Equal("00:00:02", InForce);
    }

    [Fact]
    public async Task A_bad_file_leaves_the_running_configuration_and_names_every_mistake()
    {
        using var watch = await Watch();

        _file.Write(Given.WithEdge("\"Name\": \"n e w\", \"Memroy\": {}"));
        await Looks(watch, 5);

        Assert.Equal("00:00:01", InForce);
        Assert.Equal(0, _announced);
        Assert.Collection(
            _log,
            l => Assert.Equal((LogLevel.Error, $"{_file.Path}: CdnEdge:Memroy: unknown key; did you mean 'Memory'?"), l),
            l => Assert.StartsWith($"{_file.Path}: CdnEdge:Name: 'n e w' is not a token", l.Text, StringComparison.Ordinal),
            l => Assert.Equal((LogLevel.Error, $"{_file.Path}: the new configuration has 2 mistake(s) and is not used; the running one stays in force"), l));
    }

    [Fact]
    public async Task After_a_bad_file_a_good_one_counts()
    {
        using var watch = await Watch();

        _file.Write("{");
        await Looks(watch, 2);
        _file.Write(New);
        await Looks(watch, 2);

        Assert.Equal("00:00:02", InForce);
    }

    [Fact]
    public async Task A_half_written_file_is_waited_for()
    {
        using var watch = await Watch();

        for (var written = 1; written < New.Length; written += 40)
        {
            _file.Write(New[..written]);
            await watch.LookAsync();
        }

        _file.Write(New);
        await Looks(watch, 2);

        Assert.Equal("00:00:02", InForce);
        Assert.Equal(LogLevel.Information, Assert.Single(_log).Level);
    }

    [Fact]
    public async Task A_file_that_is_gone_is_said_once()
    {
        using var watch = await Watch();

        File.Delete(_file.Path);
        await Looks(watch, 5);

        Assert.Equal("00:00:01", InForce);
        Assert.Equal(
            [$"{_file.Path}: there is no such file", $"{_file.Path}: the new configuration has 1 mistake(s) and is not used; the running one stays in force"],
            _log.Select(l => l.Text));
    }

    [Fact]
    public async Task What_takes_a_restart_is_said()
    {
        using var watch = await Watch();

        _file.Write(Given.WithEdge("\"Name\": \"new\", \"Listen\": [ \"http://127.0.0.1:81\" ], \"Memory\": { \"MaxBytes\": 5000000 }, \"Redis\": { \"Connection\": \"127.0.0.1:1\" }, \"Purge\": { \"Pop\": \"lhr\" }, \"Forwarding\": { \"TrustedProxies\": [ \"10.0.0.0/8\" ] }, \"Limits\": { \"Fetches\": 5 }, \"Acme\": { \"Forward\": \"http://127.0.0.1:1\" }"));
        await Looks(watch, 2);

        Assert.Equal(
            new[] { "Listen", "Memory:MaxBytes", "Name", "Acme", "Forwarding", "Limits", "Purge", "Redis" }.Select(key => $"{_file.Path}: CdnEdge:{key} has changed, which takes a restart"),
            _log.Where(l => l.Level == LogLevel.Warning).Select(l => l.Text));
    }

    [Fact]
    public async Task The_file_is_looked_at_every_second()
    {
        using var watch = await Watch();
        await watch.StartAsync(TestContext.Current.CancellationToken);
        _file.Write(New);

        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (InForce != "00:00:02" && DateTime.UtcNow < deadline)
        {
            _time.Advance(ConfigurationFileWatch.Interval);
            await Task.Yield();
        }

        Assert.Equal("00:00:02", InForce);
        await watch.StopAsync(TestContext.Current.CancellationToken);
    }

    private string? InForce => _configuration!.Root["CdnEdge:Policies:site:MaxTtl"];

    private static string WithMaxTtl(string duration) => Given.WithEdge($"\"Policies\": {{ \"site\": {{ \"MaxTtl\": \"{duration}\" }} }}");

    private async Task<ConfigurationFileWatch> Watch()
    {
        var source = Given.Source(_file.Path);
        var content = source.ReadFile();
        var reviewed = await ConfigurationReview.OfAsync(source, content);
        _configuration = new ValidatedConfiguration(reviewed);
        ChangeToken.OnChange(_configuration.Root.GetReloadToken, () => _announced++);
        return new ConfigurationFileWatch(source, content, _configuration, reviewed, _time, new Recorder(_log));
    }

    private static async Task Looks(ConfigurationFileWatch watch, int times)
    {
        for (var i = 0; i < times; i++)
            await watch.LookAsync();
    }

    private sealed class Recorder(List<(LogLevel, string)> log) : ILogger<ConfigurationFileWatch>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Add((logLevel, formatter(state, exception)));
    }
}

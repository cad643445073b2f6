using CdnEdge.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Tests;

public class LineFormatterTests
{
    private static readonly Exception Refused = new HttpRequestException("Connection refused", new IOException("away\n(111)"));

    [Fact]
    public void An_event_is_one_line() =>
        Assert.Equal(["2026-01-31T12:00:00.000Z info Here: it began"], Lines(LogLevel.Information, "it\nbegan", null));

    [Fact]
    public void A_warning_names_the_causes_without_their_stacks() =>
        Assert.Equal(
            ["2026-01-31T12:00:00.000Z warn Here: no answer <- HttpRequestException: Connection refused <- IOException: away (111)"],
            Lines(LogLevel.Warning, "no answer", Refused));

    [Fact]
    public void An_error_adds_the_stack() =>
        Assert.Contains(Lines(LogLevel.Error, "a fault", Refused).Skip(1), l => l.Contains(typeof(HttpRequestException).FullName!, StringComparison.Ordinal));

    private static string[] Lines(LogLevel level, string message, Exception? exception)
    {
        using var writer = new StringWriter();
        var formatter = new LineFormatter(new FakeTimeProvider(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero)));
        formatter.Write(new LogEntry<string>(level, "Here", default, message, exception, (state, _) => state), null, writer);
        return writer.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}

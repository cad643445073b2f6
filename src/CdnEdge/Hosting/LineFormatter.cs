using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace CdnEdge.Hosting;

/// <summary>
/// <c>2026-01-31T12:00:00.000Z warn CATEGORY: what happened</c>, on one line. An exception adds its messages, from the
/// outermost to its cause: an origin that is away would fill the log with stacks otherwise. Errors, which are faults of
/// the edge, add the stack.
/// </summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    internal const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        textWriter.Write(time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        textWriter.Write(Word(logEntry.LogLevel));
        textWriter.Write(logEntry.Category);
        textWriter.Write(": ");
        textWriter.Write(OneLine(logEntry.Formatter(logEntry.State, null)));
        for (var e = logEntry.Exception; e is not null; e = e.InnerException)
            textWriter.Write($" <- {e.GetType().Name}: {OneLine(e.Message)}");
        textWriter.WriteLine();
        if (logEntry.Exception is { } fault && logEntry.LogLevel >= LogLevel.Error)
            textWriter.WriteLine(fault.ToString());
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => " trace ",
        LogLevel.Debug => " debug ",
        LogLevel.Information => " info ",
        LogLevel.Warning => " warn ",
        LogLevel.Error => " error ",
        _ => " critical ",
    };

    /// <summary>Values may come from a client: a line break in one must not begin a line of the log.</summary>
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}

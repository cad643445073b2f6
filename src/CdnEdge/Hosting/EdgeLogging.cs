using Microsoft.Extensions.Logging.Console;

namespace CdnEdge.Hosting;

/// <summary>One line per event on the console, none per request; the section <c>Logging</c> says otherwise.</summary>
internal static class EdgeLogging
{
    internal static void AddTo(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.AddConsole(static console => console.FormatterName = LineFormatter.FormatterName);
        logging.AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("Yarp", LogLevel.Warning);
        // Where this logger may write at all, even an event it doesn't have, ASP.NET makes an activity and a log scope for
        // every request. It has nothing to say above Information.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // Its account of a failed forward doesn't say which upstream it was; the cache's own does.
        logging.AddFilter("Yarp.ReverseProxy.Forwarder.HttpForwarder", LogLevel.Error);
        // Its account of a failed start, with its stack, would bury the one line that says which address is in use.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        logging.AddConfiguration(configuration.GetSection("Logging"));
    }
}

using System.Collections;
using System.CommandLine;
using CdnEdge.Configuration;
using CdnEdge.Control;

namespace CdnEdge.Commands;

/// <summary>The command line: reads the call, runs the command, gives back the exit code.</summary>
/// <param name="output">Where results go.</param>
/// <param name="error">Where mistakes go.</param>
/// <param name="environment">The environment variables (<see cref="Environment.GetEnvironmentVariables()"/>).</param>
internal sealed class CommandLine(TextWriter output, TextWriter error, IDictionary environment)
{
    private readonly Option<string> _config = new("--config")
    {
        Description = "A JSON file with the sections ReverseProxy and CdnEdge; read again when it changes. [CdnEdge__Config]",
        HelpName = "FILE",
    };

    private readonly Option<string> _origin = new("--origin")
    {
        Description = "Forward everything to this URL: a configuration of one route. [CdnEdge__Origin]",
        HelpName = "URL",
    };

    private readonly Option<string[]> _listen = new("--listen")
    {
        Description = $"An address to listen on, such as http://*:80; may be repeated. [CdnEdge__Listen__0; default {ListenAddress.Default}]",
        HelpName = "URL",
    };

    private readonly Option<string> _admin = new("--admin")
    {
        Description = $"The address of the admin API; {AdminOptions.Off} turns it off. [CdnEdge__Admin__Listen; default {AdminOptions.DefaultListen}]",
        HelpName = "URL",
    };

    private readonly Option<string> _redis = new("--redis")
    {
        Description = "The Redis that the nodes of this place share, such as 127.0.0.1:6379. [CdnEdge__Redis__Connection]",
        HelpName = "CONNECTION",
    };

    internal async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var admin = new AdminCall(output, error, environment);
        var root = new RootCommand("CdnEdge: a caching reverse proxy.")
        {
            Command("serve", "Serve the configured sites until stopped.", (source, stop) => new ServeCommand(error).RunAsync(source, stop)),
            Command("check", "Say what is wrong with a configuration, without serving it.", (source, _) => new CheckCommand(output, error).RunAsync(source)),
            new PurgeCommand(admin).Command,
            new WarmCommand(admin).Command,
            new StatsCommand(admin).Command,
            DrainCommand.Drain(admin),
            DrainCommand.Undrain(admin),
            new TokenCommand(output, error).Command,
            new SignCommand(output, error, environment).Command,
        };

        var call = root.Parse(arguments);
        if (call.Errors.Count > 0)
        {
            foreach (var mistake in call.Errors)
                await error.WriteLineAsync($"cdnedge: {mistake.Message}");
            await error.WriteLineAsync("Try 'cdnedge --help'.");
            return ExitCode.Wrong;
        }

        // The host has its own handling of SIGTERM and SIGINT, with time for the requests that are under way.
        return await call.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private Command Command(string name, string description, Func<ConfigurationSource, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description) { _config, _origin, _listen, _admin, _redis };
        command.SetAction((call, stop) => run(
            ConfigurationSource.From(
                call.GetValue(_config), call.GetValue(_origin), call.GetValue(_listen) ?? [], environment, call.GetValue(_admin), call.GetValue(_redis)),
            stop));
        return command;
    }
}

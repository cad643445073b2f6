using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdnEdge.Control;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge token new</c>: makes a token. It's printed once; the configuration gets its hash.</summary>
internal sealed class TokenCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly Option<string> _name = new("--name") { Description = "Whose it is: the name in the audit log.", HelpName = "N", Required = true };
    private readonly Option<string[]> _scopes = new("--scope")
    {
        Description = "read, purge or operate; may be repeated.",
        HelpName = "S",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print token, hash and configuration as JSON." };

    internal TokenCommand(TextWriter output, TextWriter error)
    {
        (_output, _error) = (output, error);
        var make = new Command("new", "Make a token, and the lines of configuration that let it in.") { _name, _scopes, _json };
        make.SetAction((call, _) => NewAsync(call));
        Command = new Command("token", "Tokens of the admin API.") { make };
    }

    internal Command Command { get; }

    private async Task<int> NewAsync(ParseResult call)
    {
        var token = AdminToken.New();
        var name = call.GetValue(_name)!;
        var scopes = call.GetValue(_scopes)!.Select(static scope => scope.ToLowerInvariant()).Distinct().ToArray();
        var known = Enum.GetNames<AdminScope>().Select(static scope => scope.ToLowerInvariant()).ToArray();
        if (scopes.Except(known).FirstOrDefault() is { } unknown)
        {
            await _error.WriteLineAsync($"cdnedge: --scope: '{unknown}' is not one of {string.Join(", ", known)}");
            return ExitCode.Wrong;
        }

        var options = new AdminOptions();
        options.Tokens[name] = new AdminTokenOptions { Hash = AdminToken.HashOf(token), Scopes = [.. scopes.Select(static scope => Enum.Parse<AdminScope>(scope, ignoreCase: true))] };
        if (AdminOptionsValidation.Errors("CdnEdge:Admin", options).FirstOrDefault() is { } mistake)
        {
            await _error.WriteLineAsync($"cdnedge: --name: {mistake}");
            return ExitCode.Wrong;
        }

        var tokens = new JsonObject { [name] = new JsonObject { ["Hash"] = options.Tokens[name].Hash, ["Scopes"] = new JsonArray([.. scopes.Select(static scope => (JsonNode)scope)]) } };
        var configuration = new JsonObject { ["CdnEdge"] = new JsonObject { ["Admin"] = new JsonObject { ["Tokens"] = tokens } } };
        if (call.GetValue(_json))
        {
            await _output.WriteLineAsync(new JsonObject { ["token"] = token, ["configuration"] = configuration }.ToJsonString(Indented));
            return ExitCode.Done;
        }

        await _output.WriteLineAsync(token);
        await _error.WriteLineAsync($"""

            This is the only time that it's shown. Its bearer sends "Authorization: Bearer TOKEN"; cdnedge's own commands
            read it from CdnEdge__Admin__Token. The node's configuration gets its hash:

            {configuration.ToJsonString(Indented)}
            """);
        return ExitCode.Done;
    }
}

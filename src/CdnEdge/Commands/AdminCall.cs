using System.Collections;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Tls;
using Spectre.Console;

namespace CdnEdge.Commands;

/// <summary>What the commands that call the admin API have in common: where it is, with which token, how the answer is shown.</summary>
internal sealed class AdminCall(TextWriter output, TextWriter error, IDictionary environment)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Option<string> _admin = new("--admin")
    {
        Description = $"The node's admin address. [{ListenVariable}; default {AdminOptions.DefaultListen}]",
        HelpName = "URL",
    };

    private readonly Option<string> _token = new("--token")
    {
        Description = $"A token of the node's; better in the environment, where other users don't see it. [{TokenVariable}]",
        HelpName = "T",
    };

    private readonly Option<string> _ca = new("--ca")
    {
        Description = $"A PEM file of the authorities to believe, of an https:// address; the system's if left out. [{CaVariable}]",
        HelpName = "FILE",
    };

    private readonly Option<string> _certificate = new("--certificate")
    {
        Description = $"A PEM file of a certificate that the node knows, in place of a token. [{CertificateVariable}]",
        HelpName = "FILE",
    };

    private readonly Option<string> _key = new("--key")
    {
        Description = $"A PEM file of the certificate's key, if it's another one. [{KeyVariable}]",
        HelpName = "FILE",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print the API's answer as it is." };

    private const string ListenVariable = "CdnEdge__Admin__Listen";
    private const string TokenVariable = "CdnEdge__Admin__Token";
    private const string CaVariable = "CdnEdge__Admin__Client__Ca";
    private const string CertificateVariable = "CdnEdge__Admin__Client__Certificate";
    private const string KeyVariable = "CdnEdge__Admin__Client__Key";

    internal void AddOptions(Command command)
    {
        command.Add(_admin);
        command.Add(_token);
        command.Add(_ca);
        command.Add(_certificate);
        command.Add(_key);
        command.Add(_json);
    }

    internal TextWriter Output => output;

    internal bool WantsJson(ParseResult call) => call.GetValue(_json);

    /// <summary>Runs a call, or says why it can't be made. The exit code.</summary>
    internal async Task<int> RunAsync(ParseResult call, Func<AdminClient, Task<int>> run)
    {
        var address = call.GetValue(_admin) ?? Variable(ListenVariable) ?? AdminOptions.DefaultListen;
        if (!ListenAddress.TryParse(address, out _, out _) && !IsHttpUrl(address))
        {
            await error.WriteLineAsync($"cdnedge: --admin: '{address}' is not a URL such as {AdminOptions.DefaultListen}");
            return ExitCode.Wrong;
        }

        // What a node listens on isn't always what one connects to.
        var reachable = address.Replace("//*", "//127.0.0.1", StringComparison.Ordinal).Replace("//+", "//127.0.0.1", StringComparison.Ordinal).Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal);
        var token = call.GetValue(_token) ?? Variable(TokenVariable);
        if (token is not null && !AdminToken.IsPlausible(token))
        {
            await error.WriteLineAsync("cdnedge: --token: that is no token; 'cdnedge token new' makes one");
            return ExitCode.Wrong;
        }

        SocketsHttpHandler handler;
        try
        {
            handler = AdminHttp.Handler(new AdminClientOptions
            {
                Ca = call.GetValue(_ca) ?? Variable(CaVariable),
                Certificate = call.GetValue(_certificate) ?? Variable(CertificateVariable),
                Key = call.GetValue(_key) ?? Variable(KeyVariable),
            });
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            await error.WriteLineAsync($"cdnedge: --ca, --certificate, --key: {e.Message}");
            return ExitCode.Wrong;
        }

        using var client = new AdminClient(new Uri(reachable), token, handler);
        try
        {
            return await run(client);
        }
        catch (AdminUnreachableException e)
        {
            await error.WriteLineAsync($"cdnedge: {e.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary>Shows an answer: as it is, or by <paramref name="show"/>; an error in words on the side. The exit code.</summary>
    /// <param name="call">The call.</param>
    /// <param name="reply">What the node answered.</param>
    /// <param name="show">How people see it.</param>
    /// <param name="asJson">False: the command prints JSON of its own, if that's asked for.</param>
    internal async Task<int> ShowAsync(ParseResult call, AdminReply reply, Action<IAnsiConsole, JsonObject> show, bool asJson = true)
    {
        if (asJson && WantsJson(call))
            await output.WriteLineAsync(reply.Body.ToJsonString(Indented));
        else if (reply.IsSuccess)
            show(Console(), reply.Body);
        if (!reply.IsSuccess)
            await WriteProblemAsync(reply);
        return reply.ExitCode;
    }

    internal Task WriteErrorAsync(string message) => error.WriteLineAsync($"cdnedge: {message}");

    internal IAnsiConsole Console() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });

    private async Task WriteProblemAsync(AdminReply reply)
    {
        await WriteErrorAsync($"{reply.Status} {reply.Body["title"]}: {reply.Body["detail"]}");
        foreach (var item in reply.Body["errors"] as JsonArray ?? [])
            await error.WriteLineAsync(item?["pointer"]?.ToString() is { Length: > 0 } pointer ? $"  {pointer}: {item["detail"]}" : $"  {item?["detail"]}");
    }

    private static bool IsHttpUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";

    private string? Variable(string name) => environment[name] is string { Length: > 0 } value && value != AdminOptions.Off ? value : null;
}

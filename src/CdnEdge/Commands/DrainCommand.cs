using System.CommandLine;
using Spectre.Console;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge drain</c> and <c>undrain</c>: takes a node out, and in again.</summary>
internal static class DrainCommand
{
    internal static Command Drain(AdminCall admin) => Make(admin, "drain", "Take the node out: /health/ready says 503, connections are closed after the answer under way.");

    internal static Command Undrain(AdminCall admin) => Make(admin, "undrain", "Take the node in again.");

    private static Command Make(AdminCall admin, string name, string description)
    {
        var command = new Command(name, description);
        admin.AddOptions(command);
        command.SetAction((call, stop) => admin.RunAsync(call, async client => await admin.ShowAsync(
            call,
            await client.SendAsync(HttpMethod.Post, $"/{name}", null, stop),
            (console, answer) => console.WriteLine(
                ((bool?)answer["draining"] == true ? "draining" : "serving") + ((bool?)answer["changed"] == true ? "" : " already")))));
        return command;
    }
}

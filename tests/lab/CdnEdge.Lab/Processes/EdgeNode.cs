using System.Text.Json;

namespace CdnEdge.Lab.Processes;

/// <summary><c>cdnedge serve --config FILE</c> as a process of its own.</summary>
internal sealed class EdgeNode : IAsyncDisposable
{
    private readonly ServerProcess _process;
    private readonly string _file;

    private EdgeNode(string name, int port, string file)
    {
        Name = name;
        Port = port;
        _file = file;
        _process = new ServerProcess("dotnet", [Built.Edge, "serve", "--config", file], "Now listening on: ");
    }

    internal string Name { get; }

    internal int Port { get; }

    internal Uri Address => new($"http://127.0.0.1:{Port}");

    /// <inheritdoc cref="ServerProcess.Resident"/>
    internal long Resident => _process.Resident;

    /// <inheritdoc cref="ServerProcess.OpenFiles"/>
    internal int OpenFiles => _process.OpenFiles;

    /// <summary>Its log.</summary>
    internal string Output => _process.Output;

    /// <param name="name">Its own among the nodes.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="folder">Where its configuration is written.</param>
    /// <param name="configuration">All of it.</param>
    internal static async Task<EdgeNode> StartAsync(string name, int port, string folder, object configuration)
    {
        var file = Path.Combine(folder, $"{name}.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(configuration));
        var node = new EdgeNode(name, port, file);
        try
        {
            await node.StartAgainAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    internal Task StartAgainAsync() => _process.StartAsync();

    internal Task KillAsync() => _process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        File.Delete(_file);
    }
}

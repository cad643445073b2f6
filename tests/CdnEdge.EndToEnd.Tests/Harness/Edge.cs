namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>
/// A scripted origin and the real edge in front of it, shared by the tests of a class. Each test makes its own URLs,
/// so they don't meet in the cache.
/// </summary>
public class Edge : IAsyncLifetime
{
    private string? _configFile;

    internal ScriptedOrigin Origin { get; } = new();

    internal EdgeProcess Process { get; private set; } = null!;

    internal Uri Address => Process.Address;

    /// <summary>The configuration beside <c>--origin</c>, as JSON; <c>ORIGIN</c> stands for the origin's URL.</summary>
    private protected virtual string? Configuration => null;

    private protected virtual IEnumerable<string> Arguments => ["--origin", Origin.Url];

    private protected virtual IReadOnlyDictionary<string, string>? Environment => null;

    private protected virtual string Listen => "http://127.0.0.1:0";

    public async ValueTask InitializeAsync()
    {
        IEnumerable<string> arguments = Arguments;
        if (Configuration is { } json)
        {
            _configFile = ConfigurationFile.Write(json.Replace("ORIGIN", Origin.Url, StringComparison.Ordinal));
            arguments = [.. arguments, "--config", _configFile];
        }

        Process = await EdgeProcess.Serve(arguments, Environment, listen: Listen);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Process is not null)
            await Process.DisposeAsync();
        await Origin.DisposeAsync();
        if (_configFile is not null)
            File.Delete(_configFile);
    }

    internal Task<RawClient> Connect() => RawClient.Connect(Address);

    /// <summary>A GET over a connection of its own.</summary>
    internal Task<Response> Get(Resource resource, params string[] fields) => Get(resource.Path, fields);

    /// <inheritdoc cref="Get(Resource, string[])"/>
    internal async Task<Response> Get(string target, params string[] fields)
    {
        await using var client = await Connect();
        return await client.Get(target, fields);
    }

    /// <summary>A request without body over a connection of its own.</summary>
    internal async Task<Response> Ask(string method, string target, params string[] fields)
    {
        await using var client = await Connect();
        await client.Ask(method, target, fields);
        return await client.Receive(method);
    }

    /// <summary>Sends these bytes over a connection of their own and reads one response.</summary>
    internal async Task<Response> Send(string bytes)
    {
        await using var client = await Connect();
        await client.Send(bytes);
        return await client.Receive();
    }
}

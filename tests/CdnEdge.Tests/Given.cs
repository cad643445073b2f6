using System.Collections;
using System.Text;
using CdnEdge.Configuration;

namespace CdnEdge.Tests;

/// <summary>What tests begin with.</summary>
internal static class Given
{
    /// <summary>A configuration without mistakes; <c>{0}</c> is the inside of the section CdnEdge.</summary>
    internal const string Site = """
        "ReverseProxy": {
          "Routes": { "site": { "ClusterId": "web", "Match": { "Path": "/{**path}" } } },
          "Clusters": { "web": { "Destinations": { "one": { "Address": "http://127.0.0.1:9000" } } } }
        }
        """;

    internal static string WithEdge(string edge) => $"{{ \"CdnEdge\": {{ {edge} }}, {Site} }}";

    internal static ConfigurationSource Source(string? file = null, string? origin = null, string[]? listen = null, params (string, string)[] environment) =>
        SourceWithAdmin("none", file, origin, listen, environment);

    /// <param name="admin">The flag <c>--admin</c>; null: not given.</param>
    internal static ConfigurationSource SourceWithAdmin(string? admin, string? file = null, string? origin = null, string[]? listen = null, params (string, string)[] environment)
    {
        var variables = new Hashtable();
        foreach (var (name, value) in environment)
            variables[name] = value;
        return ConfigurationSource.From(file, origin, listen ?? [], variables, admin);
    }

    internal static Task<ReviewedConfiguration> Review(string json, string? origin = null, string[]? listen = null, params (string, string)[] environment) =>
        ConfigurationReview.OfAsync(Source("site.json", origin, listen, environment), Content(json));

    /// <summary>With the admin API as the configuration has it.</summary>
    internal static Task<ReviewedConfiguration> ReviewAdmin(string json, params (string, string)[] environment) =>
        ConfigurationReview.OfAsync(SourceWithAdmin(null, "site.json", null, null, environment), Content(json));

    internal static ConfigurationSource.FileContent Content(string json) => new(Encoding.UTF8.GetBytes(json), null);
}

/// <summary>A file of its own for a test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cdnedge-test");

    internal TemporaryFile(string content)
    {
        Path = System.IO.Path.Combine(_directory.FullName, "site.json");
        Write(content);
    }

    internal string Path { get; }

    internal void Write(string content) => File.WriteAllText(Path, content);

    /// <summary>As editors and Kubernetes do: a new file takes the name.</summary>
    internal void Replace(string content)
    {
        File.WriteAllText(Path + ".new", content);
        File.Move(Path + ".new", Path, overwrite: true);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}

namespace CdnEdge.Control;

/// <summary>What the API shows of the node and does to it. Implemented by the host.</summary>
internal interface IAdminNode
{
    /// <summary>This cache's name.</summary>
    string Name { get; }

    /// <summary>The version of the program.</summary>
    string Version { get; }

    /// <summary>The process is stopping.</summary>
    bool IsStopping { get; }

    /// <summary>The configuration that is in force, by path. With its secrets: see <see cref="ConfigurationView"/>.</summary>
    IEnumerable<KeyValuePair<string, string?>> Configuration { get; }

    /// <summary>Reads the configuration again and puts it in force if it's valid.</summary>
    Task<ReloadOutcome> ReloadAsync();
}

/// <summary>What came of a reload.</summary>
/// <param name="Applied">The configuration as it was read is in force.</param>
/// <param name="Contents">What it holds: <c>3 routes, 2 clusters, 4 policies</c>.</param>
/// <param name="Errors">Every mistake by its path; the configuration before it stays in force then.</param>
/// <param name="NeedsRestart">Keys that have changed and take a restart.</param>
internal sealed record ReloadOutcome(bool Applied, string Contents, IReadOnlyList<string> Errors, IReadOnlyList<string> NeedsRestart);

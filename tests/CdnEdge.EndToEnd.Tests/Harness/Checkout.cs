namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>Where the built program stands, seen from the built tests.</summary>
internal static class Checkout
{
    /// <summary>The folder with the solution.</summary>
    internal static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>The program, built in the same configuration as these tests.</summary>
    internal static string Program { get; } = FindProgram();

    /// <summary>The configuration that they were built in: Release, as a rule.</summary>
    internal static string Configuration => Built.Parent!.Name;

    // .../bin/Release/net10.0/
    private static DirectoryInfo Built => new(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    private static string FindRoot(string from)
    {
        for (var folder = new DirectoryInfo(from); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CdnEdge.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No CdnEdge.sln above {from}.");
    }

    private static string FindProgram()
    {
        var path = Path.Combine(Root, "src", "CdnEdge", "bin", Configuration, Built.Name, "cdnedge.dll");
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} isn't built.");
    }
}

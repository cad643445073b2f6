namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>Where the built program stands, seen from the built tests.</summary>
internal static class Checkout
{
    /// <summary>The folder with the solution.</summary>
    internal static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>The program, built in the same configuration as these tests.</summary>
    internal static string Program { get; } = FindProgram();

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
        // .../bin/Release/net10.0/
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var path = Path.Combine(Root, "src", "CdnEdge", "bin", framework.Parent!.Name, framework.Name, "cdnedge.dll");
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} isn't built.");
    }
}

namespace CdnEdge.Lab.Processes;

/// <summary>Where the programs stand that were built in the same configuration as this one.</summary>
internal static class Built
{
    internal static string Edge { get; } = Find("src/CdnEdge", "cdnedge.dll");

    internal static string FaultyOrigin { get; } = Find("tests/lab/CdnEdge.FaultyOrigin", "faulty-origin.dll");

    // .../bin/Release/net10.0/
    private static string Find(string project, string program)
    {
        var built = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var root = built;
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "CdnEdge.sln")))
            root = root.Parent;
        var path = Path.Combine(root?.FullName ?? "", project, "bin", built.Parent!.Name, built.Name, program);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} isn't built: dotnet build CdnEdge.sln -c {built.Parent.Name}");
    }
}

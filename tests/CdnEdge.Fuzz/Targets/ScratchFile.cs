namespace CdnEdge.Fuzz.Targets;

/// <summary>An input as a file, for what reads files.</summary>
internal sealed class ScratchFile : IDisposable
{
    static ScratchFile() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => Directory.Delete(Folder, recursive: true);

    internal ScratchFile(ReadOnlySpan<byte> content)
    {
        Path = System.IO.Path.Combine(Folder, Guid.NewGuid().ToString("n"));
        File.WriteAllBytes(Path, content);
    }

    /// <summary>A folder for this process, in memory where there's such a place: what is tested isn't the disk.</summary>
    internal static string Folder { get; } = Directory.CreateDirectory(
        System.IO.Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath(), $"cdnedge-fuzz-{Environment.ProcessId}")).FullName;

    internal string Path { get; }

    public void Dispose() => File.Delete(Path);
}

namespace CdnEdge.Fuzz.Engine;

/// <summary>The kept inputs of a target: <c>Corpus/TARGET/…</c>, one a file.</summary>
internal static class Corpus
{
    /// <summary>The folder in the checkout: what is found is to be committed.</summary>
    internal static string Root { get; } = Path.Combine(CheckoutOf(AppContext.BaseDirectory), "tests", "CdnEdge.Fuzz", "Corpus");

    /// <summary>Inputs as they are.</summary>
    internal static IReadOnlyList<byte[]> Inputs(string target) => [.. Files(target).Where(static file => !IsRepetition(file)).Select(File.ReadAllBytes)];

    /// <summary>Inputs told by what is repeated in them.</summary>
    internal static IReadOnlyList<Repetition> Repetitions(string target) =>
        [.. Files(target).Where(IsRepetition).Select(static file => Repetition.Read(File.ReadAllBytes(file)))];

    /// <summary>Keeps what was found.</summary>
    /// <returns>The file.</returns>
    internal static string Save(Finding finding)
    {
        var folder = Path.Combine(Root, finding.Target.Name);
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, finding.FileName);
        File.WriteAllBytes(file, finding.Repetition?.ToFile() ?? finding.Input);
        return file;
    }

    private static bool IsRepetition(string file) => file.EndsWith(Repetition.Extension, StringComparison.Ordinal);

    private static IEnumerable<string> Files(string target)
    {
        var folder = Path.Combine(Root, target);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal) : [];
    }

    private static string CheckoutOf(string built)
    {
        for (var folder = new DirectoryInfo(built); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CdnEdge.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No CdnEdge.sln above {built}.");
    }
}

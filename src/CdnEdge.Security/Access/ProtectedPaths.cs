using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security;

/// <summary>
/// Paths that something is asked for. Read as loosely as any origin might read them (letters of either case, encoded and backward slashes, several
/// slashes for one), for who gets round a rule by spelling has got round it.
/// </summary>
internal sealed class ProtectedPaths
{
    private readonly string[] _prefixes;
    private readonly string[] _endings;

    /// <param name="prefixes">Beginnings of paths, each with a slash in front. None: every path.</param>
    /// <param name="endings">Endings of paths, such as <c>.jpg</c>. None: every path.</param>
    internal ProtectedPaths(IEnumerable<string> prefixes, IEnumerable<string> endings) =>
        (_prefixes, _endings) = ([.. prefixes.Select(Loosen)], [.. endings]);

    internal bool Cover(PathString path)
    {
        var loose = Loosen(path.Value ?? "/");
        return (_prefixes.Length == 0 || Array.Exists(_prefixes, prefix => loose.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            && (_endings.Length == 0 || Array.Exists(_endings, ending => loose.EndsWith(ending, StringComparison.OrdinalIgnoreCase)));
    }

    internal static string? MistakeIn(string prefix) =>
        prefix.StartsWith('/') ? null : $"'{prefix}' is not the beginning of a path; such as /video/";

    private static string Loosen(string path)
    {
        var loose = path.Contains('%', StringComparison.Ordinal) ? path.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) : path;
        loose = loose.Replace('\\', '/');
        while (loose.Contains("//", StringComparison.Ordinal))
            loose = loose.Replace("//", "/", StringComparison.Ordinal);
        return loose;
    }
}

using Microsoft.AspNetCore.Http;

namespace CdnEdge.Security;

/// <summary>
/// Paths that something is asked for. Read as loosely as any origin might read them (letters of either case, encoded and backward slashes, several
/// slashes for one, parameters of segments, dot segments behind encoded slashes), for who gets round a rule by spelling has got round it.
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
        return (_prefixes.Length == 0 || Array.Exists(_prefixes, prefix => IsBelow(loose, prefix)))
            && (_endings.Length == 0 || Array.Exists(_endings, ending => loose.EndsWith(ending, StringComparison.OrdinalIgnoreCase)));
    }

    internal static string? MistakeIn(string prefix) =>
        prefix.StartsWith('/') ? null : $"'{prefix}' is not the beginning of a path; such as /video/";

    // A folder without its slash is the folder to most.
    private static bool IsBelow(string path, string prefix) =>
        path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
        || (path.Length == prefix.Length - 1 && prefix.EndsWith('/') && prefix.StartsWith(path, StringComparison.OrdinalIgnoreCase));

    private static string Loosen(string path)
    {
        var kept = new List<string>();
        var segments = path.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase).Replace('\\', '/').Split('/');
        foreach (var segment in segments)
        {
            var name = segment.Split(';')[0];
            if (name == ".." && kept.Count > 0)
                kept.RemoveAt(kept.Count - 1);
            else if (name is not ("" or "." or ".."))
                kept.Add(name);
        }

        var loose = "/" + string.Join('/', kept);
        return segments[^1].Length == 0 && kept.Count > 0 ? loose + "/" : loose;
    }
}

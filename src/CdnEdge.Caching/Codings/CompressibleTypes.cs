using System.Collections.Frozen;

namespace CdnEdge.Caching;

/// <summary>The media types of a policy that are compressed: names, kinds (<c>text/*</c>) and suffixes (<c>*+json</c>).</summary>
internal sealed class CompressibleTypes
{
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _names;
    private readonly string[] _kinds;
    private readonly string[] _suffixes;

    internal CompressibleTypes(IEnumerable<string> patterns)
    {
        var all = patterns.ToList();
        _kinds = [.. all.Where(static p => p.EndsWith("/*", StringComparison.Ordinal)).Select(static p => p[..^1])];
        _suffixes = [.. all.Where(static p => p.StartsWith('*')).Select(static p => p[1..])];
        _names = all.Where(static p => !p.Contains('*')).ToFrozenSet(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    internal bool Contains(ReadOnlySpan<char> mediaType)
    {
        if (_names.Contains(mediaType))
            return true;
        foreach (var kind in _kinds)
        {
            if (mediaType.StartsWith(kind, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        foreach (var suffix in _suffixes)
        {
            if (mediaType.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary><c>text/css</c>, <c>text/*</c> or <c>*+json</c>.</summary>
    internal static bool IsPattern(string text)
    {
        if (text.StartsWith("*+", StringComparison.Ordinal))
            return IsName(text.AsSpan(2));
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IsName(text.AsSpan(0, slash)) && (text.AsSpan(slash + 1) is "*" || IsName(text.AsSpan(slash + 1)));
    }

    private static bool IsName(ReadOnlySpan<char> text) => Token.IsToken(text) && !text.Contains('*');
}

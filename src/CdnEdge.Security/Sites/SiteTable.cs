using System.Collections.Frozen;
using System.Text;
using CdnEdge.Caching;
using CdnEdge.Tls;

namespace CdnEdge.Security;

/// <summary>The sites of a configuration by host.</summary>
internal sealed class SiteTable
{
    private readonly FrozenDictionary<string, Site> _byHost;
    private readonly FrozenDictionary<string, Site>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly (string Ending, Site Site)[] _wildcards;
    private readonly Site _other;

    /// <param name="sites">Without mistakes (<see cref="SiteOptionsValidation"/>).</param>
    /// <param name="limits">What the node bears.</param>
    internal SiteTable(IEnumerable<KeyValuePair<string, SiteOptions>> sites, LimitOptions limits)
    {
        var entries = sites.Select(static site => KeyValuePair.Create(AsciiHost.Of(site.Key), site.Value)).ToList();
        _byHost = entries.Where(static entry => !entry.Key.StartsWith('*'))
            .ToFrozenDictionary(static entry => entry.Key, entry => Resolve(entries, entry.Key, limits), StringComparer.OrdinalIgnoreCase);
        _bySpan = _byHost.GetAlternateLookup<ReadOnlySpan<char>>();
        _wildcards = [.. entries.Where(static entry => entry.Key.StartsWith("*.", StringComparison.Ordinal))
            .OrderByDescending(static entry => entry.Key.Length)
            .Select(entry => (entry.Key[1..], Resolve(entries, "x" + entry.Key[1..], limits)))];
        _other = Resolve(entries, "", limits);
    }

    /// <summary>The site of a host, in any spelling of it: what shares its key in the cache shares its rules.</summary>
    /// <param name="host">With or without a port.</param>
    internal Site Find(ReadOnlySpan<char> host)
    {
        CanonicalHost.Split(host, out var name, out _);
        return FindName(Ascii.IsValid(name) ? name : AsciiHost.Of(name.ToString()));
    }

    /// <summary>The name of a host, whichever of its spellings it is in.</summary>
    internal static string NameOf(string? host)
    {
        CanonicalHost.Split(host, out var name, out _);
        return AsciiHost.Of(name.ToString()).ToLowerInvariant();
    }

    private Site FindName(ReadOnlySpan<char> host)
    {
        if (_byHost.Count > 0 && _bySpan.TryGetValue(host, out var site))
            return site;
        foreach (var (ending, wildcard) in _wildcards)
        {
            if (host.Length > ending.Length && host.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
                return wildcard;
        }

        return _other;
    }

    /// <summary>Whether an entry's host is one, or stands for one.</summary>
    internal static bool Fits(string pattern, string host) =>
        pattern == "*"
        || pattern.Equals(host, StringComparison.OrdinalIgnoreCase)
        || (pattern.StartsWith("*.", StringComparison.Ordinal) && host.Length > pattern.Length - 1 && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase));

    private static Site Resolve(List<KeyValuePair<string, SiteOptions>> entries, string host, LimitOptions limits)
    {
        var fitting = entries.Where(entry => Fits(entry.Key, host))
            .OrderByDescending(static entry => entry.Key.StartsWith('*') ? entry.Key.Length : int.MaxValue)
            .Select(static entry => entry.Value)
            .ToList();
        return fitting.Count == 0 ? Site.Open : new Site(fitting, limits);
    }
}

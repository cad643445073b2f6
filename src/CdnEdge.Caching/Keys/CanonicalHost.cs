namespace CdnEdge.Caching;

/// <summary>
/// Spellings of one authority: letter case, the root's trailing dot, and the default ports of http and https (both: the
/// key has no scheme) make no difference.
/// </summary>
internal static class CanonicalHost
{
    /// <summary>Splits into the name, without its trailing dot and still in its letter case, and the port where it's no default one.</summary>
    internal static void Split(ReadOnlySpan<char> host, out ReadOnlySpan<char> name, out ReadOnlySpan<char> port)
    {
        name = host;
        port = default;
        var colon = host.LastIndexOf(':');
        // In [::1] the last colon is the address's own.
        if (colon >= 0 && host.LastIndexOf(']') < colon && !host[(colon + 1)..].ContainsAnyExceptInRange('0', '9'))
        {
            name = host[..colon];
            port = host[(colon + 1)..].TrimStart('0');
            if (port is "80" or "443")
                port = default;
        }

        if (name is [.. var rooted, '.'])
            name = rooted;
    }

    /// <summary>The canonical form as a string: for configuration, not for the hot path.</summary>
    internal static string Of(string host)
    {
        Split(host, out var name, out var port);
        var lower = string.Create(name.Length, name, static (text, source) =>
        {
            for (var i = 0; i < text.Length; i++)
                text[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
        });
        return port.IsEmpty ? lower : $"{lower}:{port}";
    }
}

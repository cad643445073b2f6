namespace CdnEdge.Control;

/// <summary>
/// A URL as requests for it may spell it. <see cref="Uri"/> respells some escapes (<c>%41</c> becomes <c>A</c>), which
/// a query in a key keeps as sent: so both spellings are meant, the one that was written and .NET's.
/// </summary>
internal static class PurgeTarget
{
    /// <summary>None: not an absolute http or https URL.</summary>
    internal static IReadOnlyList<Uri> SpellingsOf(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            return [];

        // In a request's Host a name is in punycode, an address of IPv6 in brackets.
        var name = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        var site = uri.IsDefaultPort ? $"{uri.Scheme}://{name}" : $"{uri.Scheme}://{name}:{uri.Port}";
        return [new Uri(site + uri.PathAndQuery), PurgeUrl.Verbatim(site + PathAndQueryAsWritten(url))];
    }

    private static string PathAndQueryAsWritten(string url)
    {
        var rest = url.AsSpan(url.IndexOf("//", StringComparison.Ordinal) + 2);
        if (rest.IndexOf('#') is >= 0 and var fragment)
            rest = rest[..fragment];
        var end = rest.IndexOfAny('/', '?');
        return end < 0 ? "/" : rest[end] == '/' ? rest[end..].ToString() : $"/{rest[end..]}";
    }
}

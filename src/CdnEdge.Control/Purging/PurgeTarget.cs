using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>
/// A URL as a request for it may spell it. <see cref="Uri"/> respells some escapes (<c>%41</c> becomes <c>A</c>), which
/// a query in a key keeps as sent: so both spellings are meant, the one that was written and .NET's.
/// </summary>
internal sealed record PurgeTarget(HostString Host, IReadOnlyList<PathString> Paths, IReadOnlyList<QueryString> Queries)
{
    /// <summary>False: not an absolute http or https URL.</summary>
    internal static bool TryParse(string url, [NotNullWhen(true)] out PurgeTarget? target)
    {
        target = null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            return false;

        // In a request's Host a name is in punycode, an address of IPv6 in brackets.
        var name = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        var host = new HostString(uri.IsDefaultPort ? name : $"{name}:{uri.Port}");
        var (path, query) = AsWritten(url);
        target = new PurgeTarget(
            host,
            [.. new[] { PathString.FromUriComponent(uri.AbsolutePath), PathString.FromUriComponent(path) }.Distinct()],
            [.. new[] { new QueryString(uri.Query), new QueryString(query) }.Distinct()]);
        return true;
    }

    private static (string Path, string Query) AsWritten(string url)
    {
        var rest = url.AsSpan(url.IndexOf("//", StringComparison.Ordinal) + 2);
        if (rest.IndexOf('#') is >= 0 and var fragment)
            rest = rest[..fragment];
        var query = "";
        if (rest.IndexOf('?') is >= 0 and var mark)
        {
            query = rest[mark..].ToString();
            rest = rest[..mark];
        }

        var slash = rest.IndexOf('/');
        return (slash < 0 ? "/" : rest[slash..].ToString(), query);
    }
}

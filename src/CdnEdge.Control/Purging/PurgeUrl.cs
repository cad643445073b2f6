using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace CdnEdge.Control;

/// <summary>URLs that an operator writes: checked, and spelt as a request for them has them.</summary>
internal static class PurgeUrl
{
    /// <summary>Longest that is accepted, in characters: what Kestrel takes as a request line.</summary>
    internal const int MaxLength = 16 * 1024;

    private static readonly SearchValues<char> NotInHosts = SearchValues.Create("/?#@\\ %");
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>The URL with its path and query as they are written: .NET would respell escapes that a request's key keeps.</summary>
    /// <param name="url">One that <see cref="TryRead"/> gave.</param>
    internal static Uri Verbatim(string url) => new(url, AsWritten);

    /// <param name="text">An absolute http or https URL. Letters beyond ASCII are escaped, as browsers do it.</param>
    /// <param name="url">In ASCII, with the host in lower case.</param>
    /// <param name="mistake">What is wrong and what would be right.</param>
    internal static bool TryRead(string text, [NotNullWhen(true)] out Uri? url, [NotNullWhen(false)] out string? mistake)
    {
        url = null;
        mistake = text switch
        {
            "" => "empty; write an absolute URL, such as https://example.org/a",
            { Length: > MaxLength } => $"longer than {MaxLength} characters",
            _ when text.AsSpan().ContainsAnyInRange('\0', ' ') || text.Contains('\x7f', StringComparison.Ordinal) => "has a blank or control character; escape it (%20)",
            _ when text.Contains('\\', StringComparison.Ordinal) => "has a backslash; write / or %5C",
            _ when text.Contains('#', StringComparison.Ordinal) => "has a fragment (#), which no request carries; leave it out or write %23",
            _ when text.Contains("%00", StringComparison.Ordinal) => "has an escaped NUL (%00), which no request may carry",
            _ when !IsHttp(text) => "not an absolute http:// or https:// URL, such as https://example.org/a",
            _ => null,
        };
        if (mistake is not null)
            return false;

        if (!Uri.TryCreate(Escape(text), AsWritten, out var parsed) || parsed.Host.Length == 0 || parsed.UserInfo.Length > 0 || !IsPath(parsed.PathAndQuery) || !TryIdnHost(parsed, out var host))
            mistake = "its host is none; write example.org or example.org:8080, without user and password";
        else if (HasDotSegments(parsed.AbsolutePath))
            mistake = "has . or .. in its path; write the path that they lead to";
        else
            url = Verbatim($"{parsed.Scheme}://{host}{(parsed.IsDefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{parsed.Port}"))}{WithPath(parsed.PathAndQuery)}");
        return url is not null;
    }

    /// <summary>A host, with a port where it isn't the scheme's default one: <c>example.org:8080</c>.</summary>
    internal static bool TryReadHost(string text, [NotNullWhen(true)] out string? host, [NotNullWhen(false)] out string? mistake)
    {
        (host, mistake) = (null, "not a host; write example.org or example.org:8080, without scheme and path");
        if (text.Length is 0 or > 300 || text.AsSpan().ContainsAny(NotInHosts) || !TryRead($"http://{text}/", out var url, out _))
            return false;
        (host, mistake) = (url.Authority, null);
        return true;
    }

    private static bool IsHttp(string text) =>
        text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    // Behind [::1] a Uri takes anything for the path.
    private static bool IsPath(string pathAndQuery) => pathAndQuery is "" or ['/' or '?', ..];

    private static string WithPath(string pathAndQuery) => pathAndQuery is ['/', ..] ? pathAndQuery : "/" + pathAndQuery;

    private static bool TryIdnHost(Uri uri, [NotNullWhen(true)] out string? host)
    {
        try
        {
            host = uri.HostNameType == UriHostNameType.IPv6 ? $"[{uri.IdnHost.Trim('[', ']')}]" : uri.IdnHost.ToLowerInvariant();
        }
        catch (UriFormatException)
        {
            // Not in ASCII, and not to be written in it: a label too long, for one.
            host = null;
            return false;
        }

        return uri.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;
    }

    // Only behind the authority: a host is not escaped but converted (IDN).
    private static string Escape(string text)
    {
        var authority = text.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = text.AsSpan(authority).IndexOfAny('/', '?');
        if (end < 0 || Ascii.IsValid(text.AsSpan(authority + end)))
            return text;

        var escaped = new StringBuilder(text, 0, authority + end, text.Length * 2);
        foreach (var rune in text.AsSpan(authority + end).EnumerateRunes())
            escaped.Append(rune.IsAscii ? rune.ToString() : Uri.EscapeDataString(rune.ToString()));
        return escaped.ToString();
    }

    private static bool HasDotSegments(string path) =>
        path.Split('/').Any(static segment => segment.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase) is "." or "..");
}

namespace CdnEdge.Security;

/// <summary>Who may come by address: <c>192.0.2.7</c>, <c>192.0.2.0/24</c>, <c>2001:db8::/32</c>.</summary>
internal sealed class AddressOptions
{
    /// <summary>Nobody else. None: everybody.</summary>
    public IList<string> Allow { get; set; } = [];

    /// <summary>Not these, though they're allowed.</summary>
    public IList<string> Deny { get; set; } = [];
}

/// <summary>Hot-link protection: what other sites may not show as theirs.</summary>
internal sealed class HotLinkOptions
{
    /// <summary>The sites that may: <c>www.example.org</c>, <c>*.example.org</c>. The site itself always may.</summary>
    public IList<string> Allow { get; set; } = [];

    /// <summary>Beginnings of the paths that it's about. None: all.</summary>
    public IList<string> Paths { get; set; } = [];

    /// <summary>Endings of the paths that it's about.</summary>
    public IList<string> Endings { get; set; } = [".avif", ".gif", ".jpeg", ".jpg", ".mp3", ".mp4", ".png", ".svg", ".webm", ".webp"];

    /// <summary>Requests that name no site get through: those of bookmarks, of apps, and of browsers that are told to say nothing.</summary>
    public bool AllowNoReferer { get; set; } = true;
}

/// <summary>Signed URLs and signed cookies: paths that only those get who were given a token for them.</summary>
internal sealed class TokenOptions
{
    /// <summary>Beginnings of the paths that take a token: <c>/video/</c>.</summary>
    public IList<string> Paths { get; set; } = [];

    /// <summary>Keys by id, each at least 32 bytes in base64. Any of them lets in: to change keys, add the new one, sign with it, and take the old one away when its tokens have run out.</summary>
    public IDictionary<string, string> Keys { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The name of the query's parameter and of the cookie that the token is in.</summary>
    public string Name { get; set; } = "cdn-token";
}
